"""Measuring: all peers do the same case in turns, again and again; the first turn is a warm-up that does not count."""

import contextlib
import subprocess
import time

from cases import CLIENTS
from daemons import wait_for_port
from gate import Gate
from material import Material
from peers.peer import Job
from place import empty
from processes import RECEIVER, SENDER, Failure, Usage, deadline, memory_floor
from results import Result

#: No round takes longer than this many seconds on a slow machine.
PATIENCE = 1800


class Rounds:
    """The rounds of one case in one place. What happens is told to `say`, a line each."""

    def __init__(self, place, case, options, say):
        self._place, self._case, self._options, self._say = place, case, options, say

    def measure(self, kinds):
        """Answers the results of the peers in `kinds` that can do the case, also of those that failed."""
        others = [kind.name for kind in kinds if not kind.can(self._case)]
        if others:
            self._say(f"not done by {', '.join(others)}")
        sources = self._place.folder("sources")
        listing = self._place.root / "listing"
        try:
            self._material = Material(self._case.plan, str(sources), listing)
            return self._contest([kind for kind in kinds if kind.can(self._case)])
        finally:
            empty(sources)

    def _contest(self, kinds):
        results = [self._result(kind) for kind in kinds]
        contest = []
        try:
            for kind, result in zip(kinds, results):
                with self._noting(result):
                    peer = kind(self._place, self._options)
                    job = Job(self._case, self._material, str(self._place.folder(f"received/{kind.name}")))
                    contest.append((peer, job, result))
                    empty(job.destination, keep=())
                    peer.start(job)
            for number in range(self._options.repeat + 1):
                for peer, job, result in contest:
                    if result.failure is None:
                        with self._noting(result):
                            measured = self._round(peer, job)
                            if number > 0:
                                result.add(*measured)
        finally:
            for peer, job, result in contest:
                with self._noting(result):
                    result.server_peak = peer.stop()
                self._place.clear(job.destination, keep=())
            floor = memory_floor()
            for result in results:
                result.memory_floor = floor
        return results

    def _round(self, peer, job):
        """Answers the seconds and the usage of each end; throws where the bytes did not arrive."""
        with deadline(PATIENCE, f"a round of {peer.name}"), contextlib.ExitStack() as ends:
            peer.prepare(job)
            self._place.rest()
            receivers = self._listening(peer.receivers(job), ends)
            before = peer.daemon.cpu() if peer.daemon else 0
            seconds, used, programs = self._timed(peer.steps(job), receivers, ends)
            if peer.daemon:
                peer.daemon.settle()
                used[RECEIVER].cpu += peer.daemon.cpu() - before
            peer.inspect(job, programs)
            wrong = self._material.difference(job.destination)
            if wrong:
                raise Failure(wrong)
            self._place.clear(job.destination)
            return seconds, used

    def _listening(self, receivers, ends):
        """Starts the receivers of one round."""
        programs = []
        for port, command in receivers:
            programs += self._start([command], ends)
            wait_for_port(programs[-1], port)
        return programs

    def _timed(self, steps, receivers, ends):
        """Does the steps, waits for all ends: answers seconds, usage, and the programs of the first step."""
        used = {SENDER: Usage(), RECEIVER: Usage()}
        with self._begin(steps[0], ends) as programs:
            start = time.monotonic()
            programs = programs or self._start(steps[0], ends)
            self._wait(programs, used)
        for step in steps[1:]:
            self._wait(self._start(step, ends), used)
        self._wait(receivers, used)
        return time.monotonic() - start, used, programs

    @contextlib.contextmanager
    def _begin(self, commands, ends):
        """Several clients are started before the time is, and let go together in the block; answers those."""
        if self._case.kind != CLIENTS:
            yield []
            return
        with Gate(str(self._place.root / "gate")) as gate:
            programs = self._start(commands, ends, gate)
            gate.gather(programs)
            with gate.opened():
                yield programs

    def _start(self, commands, ends, gate=None):
        programs = []
        for command in commands:
            program = self._place.launcher.start(command, gate and gate.before(command.argv))
            ends.callback(program.kill)
            programs.append(program)
        return programs

    @staticmethod
    def _wait(programs, used):
        for program in programs:
            used[program.command.end].add(program.wait())
        for program in programs:
            program.check()

    def _result(self, kind):
        return Result(self._case, self._place.parent, self._place.filesystem, kind, self._material.bytes, self._material.files)

    @contextlib.contextmanager
    def _noting(self, result):
        """A peer that fails ends its own part of the case, no more."""
        try:
            yield
        except (Failure, OSError, subprocess.CalledProcessError) as error:
            result.failure = result.failure or str(error)
            self._say(f"{result.peer.name} failed at {self._case.title}: {error}")
