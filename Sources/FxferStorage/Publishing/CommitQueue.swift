import FxferProtocol
import NIOCore
import Synchronization

/// The files that are ready to be published, taken in groups by up to as many workers as the pool has threads.
///
/// Batching comes by itself: a file that finds an idle worker is committed at once, alone; while the workers wait for
/// the disk, the next groups collect.
///
/// A group has an fsync(2) for each file, and one for each folder. One syncfs(2) for all its files is faster: 10,000
/// files of 4 KiB on ext4, 2 cores, groups of 32 to 250: 13,600 to 23,100 a second against 10,500 to 15,300 with 16
/// threads and an fsync each. But it waits for whatever any program has written, a large upload beside included, fails
/// for the errors of others, and may not tell of one file's lost pages what fsync of that file tells. With fsync the
/// target is met: `rsync --fsync` makes 2,300 to 2,600 on the same disk, this queue 10,600 to 12,500.
final class CommitQueue: Sendable {
    struct Item: Sendable {
        let file: DirectoryStagedFile
        /// In bytes.
        let size: UInt64
        let origin: Origin
        let completion: @Sendable (Result<Publication, FxferError>) -> Void
    }

    private struct State {
        var pending = CircularBuffer<Item>()
        /// How many workers there are, whether they work or wait for a thread.
        var workers = 0
        /// How many of them wait for a thread.
        var starting = 0
        /// How many there may be.
        var maxWorkers: Int
    }

    /// Where the disk is waited for, as many as the least ``DiskPool/shared`` has threads: their fsyncs share journal
    /// commits.
    private static let maxWaitingWorkers = 16
    /// Where it is not (a file system in memory, a cache that needs no flush), as many as compute at once: more only
    /// stand in each other's way at the folder's lock.
    private static let maxComputingWorkers = 2
    /// The time a file takes from which on the disk is what is waited for. Without a flush it takes 20 to 40 µs.
    private static let waitingTime = Duration.microseconds(200)
    /// What one worker that is about to start is left before another is asked for: waking a thread costs about what
    /// three files cost on a file system in memory.
    private static let filesPerWorker = 8
    /// A group's limits: files, bytes, and components of their folders, each of which is an open descriptor.
    private static let maxFiles = 32
    private static let maxBytes: UInt64 = 1 << 20
    private static let maxComponents = 64

    private let state: Mutex<State>
    private let maxWorkers: Int
    private let committer: Committer
    private let pool: DiskPool

    /// - Parameter maxWorkers: how many there may be, if fewer than usual.
    init(_ committer: Committer, _ pool: DiskPool, maxWorkers: Int = CommitQueue.maxWaitingWorkers) {
        self.maxWorkers = maxWorkers
        self.state = Mutex(State(maxWorkers: min(maxWorkers, Self.maxComputingWorkers)))
        self.committer = committer
        self.pool = pool
    }

    /// Commits the file some time soon. Never waits.
    func add(_ item: Item) {
        let needsWorker = self.state.withLock { state in
            state.pending.append(item)
            guard state.workers < state.maxWorkers, state.pending.count > state.starting * Self.filesPerWorker else {
                return false
            }
            state.workers += 1
            state.starting += 1
            return true
        }
        if needsWorker { self.pool.submitTurns { self.work() } }
    }

    /// Commits a group; answers whether this worker goes on with another.
    private func work() -> Bool {
        let group = self.state.withLock { Self.takeGroup(&$0) }
        let time = ContinuousClock().measure {
            if !group.isEmpty { CommitGroup(group, self.committer).commit() }
        }
        let isWaiting = time > Self.waitingTime * group.count
        return self.state.withLock { state in
            let maxWorkers = isWaiting ? Self.maxWaitingWorkers : Self.maxComputingWorkers
            state.maxWorkers = min(self.maxWorkers, maxWorkers)
            guard !state.pending.isEmpty, state.workers <= state.maxWorkers else {
                state.workers -= 1
                return false
            }
            state.starting += 1
            return true
        }
    }

    /// A fair share of what is pending, as the workers that are about to start take their shares, too.
    private static func takeGroup(_ state: inout State) -> [Item] {
        let share = (state.pending.count + state.starting - 1) / max(state.starting, 1)
        state.starting -= 1
        var group: [Item] = []
        var bytes: UInt64 = 0
        var components = 0
        while group.count < min(share, Self.maxFiles), let item = state.pending.first {
            bytes += min(item.size, Self.maxBytes + 1)
            let folder = item.file.path.folderBytes
            if folder != group.last?.file.path.folderBytes { components += item.file.path.components.count }
            guard group.isEmpty || (bytes <= Self.maxBytes && components <= Self.maxComponents) else { break }
            group.append(state.pending.removeFirst())
        }
        return group
    }
}
