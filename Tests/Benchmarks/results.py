"""What was measured of one peer in one case, and what is said of it."""

import statistics
from dataclasses import dataclass, field

from cases import Case
from processes import RECEIVER, SENDER

GB = 1e9


@dataclass
class Result:
    """Rounds of a peer in a case, in one folder; `failure` says why there are none."""

    case: Case
    folder: str
    filesystem: str
    peer: type
    bytes: int
    files: int
    seconds: list = field(default_factory=list)
    #: End -> usage of each round.
    used: dict = field(default_factory=lambda: {SENDER: [], RECEIVER: []})
    #: Bytes; of a server that stays it is known when all rounds are over.
    server_peak: int = 0
    #: Bytes; a smaller peak cannot be told.
    memory_floor: int = 0
    failure: str | None = None

    @property
    def where(self):
        """For titles."""
        return self.filesystem if self.filesystem == "tmpfs" else f"{self.filesystem} ({self.folder})"

    @property
    def median(self):
        return statistics.median(self.seconds)

    def cpu(self, end):
        """The median of an end's CPU seconds."""
        return statistics.median(usage.cpu for usage in self.used[end])

    def cpu_per_gb(self, end):
        return self.cpu(end) / (self.bytes / GB)

    def peak(self, end):
        """The largest process of an end in any round, in bytes."""
        peak = max(usage.peak for usage in self.used[end])
        return max(peak, self.server_peak) if end == RECEIVER else peak

    def add(self, seconds, used):
        self.seconds.append(seconds)
        for end, usage in used.items():
            self.used[end].append(usage)

    def json(self):
        common = {
            "case": self.case.name,
            "title": self.case.title,
            "folder": self.folder,
            "filesystem": self.filesystem,
            "peer": self.peer.name,
            "durable": self.peer.durable,
            "bytes": self.bytes,
            "files": self.files,
            "clients": len(self.case.plan.loads),
        }
        if self.case.axis:
            common |= {"axis": self.case.axis, "value": self.case.value}
        if self.failure:
            return common | {"failure": self.failure}
        ends = {
            end: {"cpuSeconds": [usage.cpu for usage in self.used[end]], "peakBytes": self.peak(end)}
            for end in (SENDER, RECEIVER)
        }
        return common | {"seconds": self.seconds, "median": self.median, "memoryFloorBytes": self.memory_floor} | ends


def groups(results):
    """The results of each case in each folder, in the order in which they were measured."""
    found = {}
    for result in results:
        found.setdefault((result.case, result.folder), []).append(result)
    return list(found.values())


def ratio(result, group, base="fxfer"):
    """How many times as long as `base` it took, by medians; None where one of them was not measured."""
    for other in group:
        if other.peer.name == base and not other.failure and not result.failure:
            return result.median / other.median
    return None
