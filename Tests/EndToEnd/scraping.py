"""What tests of `fxfer serve --metrics` share: a server that has it, and a strict reader of Prometheus' text format."""

import http.client
import re
import threading
from types import SimpleNamespace

from sending import SendCase
from support import PATIENCE
from waiting import eventually

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
PARTS = ("_bucket", "_sum", "_count")


def ask(port, path="/metrics", method="GET", host="127.0.0.1"):
    """One request; answers status, headers and the body as text."""
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return SimpleNamespace(status=answer.status, headers=answer.headers, text=answer.read().decode())
    finally:
        connection.close()


def parse(text):
    """Every sample: `name{labels}` -> number. Complains of whatever the format does not have."""
    if not text.endswith("\n"):
        raise AssertionError(f"the last line has no end: {text[-50:]!r}")
    samples, kinds, helped = {}, {}, set()
    for line in text.removesuffix("\n").split("\n"):
        if found := re.fullmatch(rf"# HELP ({NAME}) .+", line):
            if found[1] in helped or found[1] in kinds:
                raise AssertionError(f"a second HELP, or one behind TYPE: {line!r}")
            helped.add(found[1])
        elif found := re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge|histogram)", line):
            if found[1] in kinds:
                raise AssertionError(f"a second TYPE: {line!r}")
            kinds[found[1]] = found[2]
        elif found := SAMPLE.fullmatch(line):
            last = list(kinds)[-1]
            allowed = {last + part for part in PARTS} if kinds[last] == "histogram" else {last}
            if found[1] not in allowed:
                raise AssertionError(f"a sample under the wrong TYPE: {line!r}")
            key = line.rpartition(" ")[0]
            if key in samples:
                raise AssertionError(f"a second sample: {line!r}")
            samples[key] = float(found[3])
        else:
            raise AssertionError(f"no line of the format: {line!r}")
    if helped != set(kinds):
        raise AssertionError(f"without help: {helped ^ set(kinds)}")
    return samples


class ScrapeCase(SendCase):
    def serve(self, *options, metrics="0", **keywords):
        """A server with metrics, whose port is `server.metrics_port`."""
        server = super().serve("--metrics", metrics, *options, **keywords)
        watchdog = threading.Timer(PATIENCE, server.process.kill)
        watchdog.start()
        line = "?"
        while line and not line.startswith("metrics at "):
            line = server.process.stdout.readline()
        watchdog.cancel()
        found = re.fullmatch(r"metrics at http://(\S+):(\d+)/metrics\n", line)
        self.assertIsNotNone(found, "no line says where the metrics are")
        server.metrics_host, server.metrics_port = found[1], int(found[2])
        return server

    def scrape(self, server):
        answer = ask(server.metrics_port)
        self.assertEqual(answer.status, 200)
        return parse(answer.text)

    def await_values(self, server, expected):
        """Waits until each sample has its value: a client may have its answer a moment before that is counted. Answers
        all samples."""
        samples = {}

        def reached():
            samples.update(self.scrape(server))
            return all(samples.get(key) == value for key, value in expected.items())

        try:
            eventually(reached, "the metrics", patience=10)
        except AssertionError:
            self.assertEqual({key: samples.get(key) for key in expected}, expected)
        return samples


def files(direction, outcome):
    return f'fxfer_files_total{{direction="{direction}",outcome="{outcome}"}}'


def refused(reason):
    return f'fxfer_refused_total{{reason="{reason}"}}'


def corrupt(cause, peer="same-machine"):
    return f'fxfer_corrupt_chunks_total{{cause="{cause}",peer="{peer}"}}'
