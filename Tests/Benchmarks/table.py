"""What a run says on standard output: a table of each case, and the targets."""

from processes import RECEIVER, SENDER
from quantities import three_digits, time_text
from results import groups, ratio

MIB = 1 << 20
#: With less than this (bytes) in all, CPU is said of the whole transfer.
SMALL = 1_000_000
#: What has to be known to read the tables.
NOTES = """\
ratio: times as long as fxfer, by medians. Peak memory: of the largest process of an end; what is below (<) the number
cannot be told. CPU of rsync's and ssh's servers is counted in steps of 10 ms. durable: what was stored was flushed to
the disk (which in tmpfs is nothing). What is there of a file is gone on with by rsync --append-verify and sftp reput."""


def tables(results):
    """A table for each case."""
    return "\n\n".join(map(_table, groups(results)))


def _table(group):
    small = group[0].bytes < SMALL
    unit = "CPU ms" if small else "CPU s/GB"
    ends = [f"{unit}: sender", "receiver", "peak MiB: sender", "receiver"]
    rows = [["", "median", "least", "most", "ratio", *ends, "durable"]]
    rows += [_row(result, group, small) for result in group]
    widths = [max(len(row[column]) for row in rows if len(row) > 2) for column in range(len(rows[0]))]
    widths[0] = max(len(row[0]) for row in rows)
    lines = [f"{group[0].case.title}, on {group[0].where}"]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])] if len(row) > 2 else row[1:]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def _row(result, group, small):
    if result.failure:
        return [result.peer.title, f"failed: {result.failure}"]
    times = ratio(result, group)
    cpu = [1e3 * result.cpu(end) if small else result.cpu_per_gb(end) for end in (SENDER, RECEIVER)]
    return [
        result.peer.title,
        time_text(result.median),
        time_text(min(result.seconds)),
        time_text(max(result.seconds)),
        "" if times is None else f"{times:.2f}",
        *map(three_digits, cpu),
        *(_peak(result, end) for end in (SENDER, RECEIVER)),
        "yes" if result.peer.durable else "no",
    ]


def _peak(result, end):
    """MiB; a peak next to the floor is the floor's."""
    peak = result.peak(end)
    return f"{'<' if peak < 1.1 * result.memory_floor else ''}{peak / MIB:.1f}"


def target_lines(targets):
    """A line for each target."""
    if not targets:
        return "targets: none of them can be told from this run"
    width = max(len(target["what"]) + len(target["where"]) for target in targets) + 4
    lines = ["targets (two cores), meant for the sizes that are the default"]
    for target in targets:
        verdict = "met   " if target["met"] else "MISSED"
        what = f"{target['what']}, on {target['where']}".ljust(width)
        lines.append(f"{verdict}  {what}  {target['measured']} (wanted: {target['wanted']})")
    return "\n".join(lines)
