import FxferProtocol
import FxferStorage
import Glibc

extension StoredEntry {
    /// What is said of a publication: it is durable, since now; there is no ledger.
    init(_: Publication) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        self.init(time: FileTime(seconds: Int64(now.tv_sec), nanoseconds: UInt32(now.tv_nsec)), durability: .durable)
    }
}
