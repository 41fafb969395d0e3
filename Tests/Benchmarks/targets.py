"""What fxfer shall reach on two cores, and whether it did in this run."""

from dataclasses import dataclass

from processes import RECEIVER, SENDER
from quantities import size_text
from results import groups, ratio

MIB = 1 << 20


@dataclass(frozen=True)
class Target:
    """`subject` shall be `least` times as fast as the fastest of `against` in a case, in memory or on a disk."""

    case: str
    against: tuple
    least: float
    subject: str = "fxfer"
    in_memory: bool = True


SPEED = (
    Target("file", ("reference",), 0.95),
    Target("file", ("rsync", "rsync-nodelay"), 0.9),
    Target("file", ("curl",), 1.3),
    Target("file", ("nc", "nc-tee"), 1.8),
    Target("file", ("scp",), 2, subject="fxfer-tls"),
    Target("tree", ("rsync", "rsync-nodelay"), 1.2),
    Target("tree", ("rsync-fsync",), 4, in_memory=False),
    Target("byte", ("scp",), 3),
)
#: The most that an end may take for any single transfer, and a server for a crowd of clients.
PEAK, CROWD_PEAK = 64 * MIB, 192 * MIB
SINGLE = ("file", "tree", "byte", "resume")


def judge(results):
    """One entry for each target that this run can tell about: what, where, wanted, measured, met."""
    found = []
    for group in groups(results):
        measured = {result.peer.name: result for result in group if not result.failure}
        found += filter(None, (_speed(target, group, measured) for target in SPEED))
        found += _memory(group, measured)
    return found


def _speed(target, group, measured):
    case, where = group[0].case, group[0].where
    others = [measured[name] for name in target.against if name in measured]
    if case.name != target.case or target.in_memory != (group[0].filesystem == "tmpfs") or not others:
        return None
    if target.subject not in measured:
        return None
    fastest = min(others, key=lambda result: result.median)
    times = ratio(fastest, group, base=target.subject)
    what = f"{case.title}: {target.subject} against {fastest.peer.title}"
    return _entry(what, where, f"at least {target.least} times its speed", f"{times:.2f}", times >= target.least)


def _memory(group, measured):
    case, where = group[0].case, group[0].where
    for name in ("fxfer", "fxfer-tls"):
        result = measured.get(name)
        if result and case.name in SINGLE:
            peak = max(result.peak(SENDER), result.peak(RECEIVER))
            what, most = f"{case.title}: peak memory of an end of {name}", PEAK
        elif result and case.name == "crowd":
            peak = result.peak(RECEIVER)
            what, most = f"{case.title}: all verified, peak memory of the server of {name}", CROWD_PEAK
        else:
            continue
        yield _entry(what, where, f"at most {size_text(most)}", size_text(peak), peak <= most)


def _entry(what, where, wanted, measured, met):
    return {"what": what, "where": where, "wanted": wanted, "measured": measured, "met": met}
