import FxferProtocol
import FxferStorage
import Glibc

extension StoredEntry {
    /// What is said of a publication: what the ledger says, or, where there is none, that it is so since now.
    init(_ publication: Publication) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let time = FileTime(seconds: Int64(now.tv_sec), nanoseconds: UInt32(now.tv_nsec))
        self = publication.record ?? StoredEntry(time: time, durability: publication.level)
    }
}
