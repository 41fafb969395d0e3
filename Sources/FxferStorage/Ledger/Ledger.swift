import FxferProtocol
import NIOCore
import Synchronization

/// The record of all that was published in a directory: `DIR/.fxfer/ledger.jsonl`, a line of JSON for each file, each
/// with the hash of the one before.
///
/// Several servers, in one process or in many, can add to one ledger: each locks the file (flock(2)) for as long as it
/// takes to write its lines. Whoever compacts it puts another file in its place, which the others notice.
///
/// Calls block: they are for threads of the ``DiskPool``.
final class Ledger: Sendable {
    private struct State {
        var file: LedgerFile
        /// Where the file ends as far as is known, and its last line.
        var head: LedgerHead
        /// How long the file was when its end was read last.
        var opened: UInt64
        /// Nil until it is asked for.
        var index: LedgerIndex?
        /// Why nothing is added any more.
        var failure: FxferError?
    }

    private let folder: LedgerFolder
    private let headFile: OwnedDescriptor
    private let state: Mutex<State>
    /// Whether a line that a crash had torn was cut off when the ledger was opened.
    let wasMended: Bool

    /// Opens the ledger and makes it where it is missing; cuts off a last line that a crash has torn.
    ///
    /// - Throws: `.damaged` where its end is not as it was written, `.noSpace`, `.io`, `.busy`.
    init(_ folder: LedgerFolder) throws(FxferError) {
        self.folder = folder
        if try folder.lengthOfMissing() != nil { throw folder.missing() }
        let headFile = try folder.doing("open") { () throws(Errno) in try folder.openHead() }
        let file = try folder.doing("open") { () throws(Errno) in try folder.openForAppending() }
        let (opened, head, torn) = try Self.withLock(file, folder, until: folder.deadline) { file throws(FxferError) in
            // What is damaged tells nothing, and is made right here.
            let known = try folder.doing("read") { () throws(Errno) in try folder.readHead() }.head ?? .empty
            // Of a compaction that was killed: one that goes on has the lock.
            folder.removeCompacted()
            let tail = try Self.mendedTail(of: file, atLeast: known, folder)
            try folder.doing("make durable") { () throws(Errno) in
                if tail.head != known { try file.descriptor.sync() }
                try headFile.write(tail.head.encoded)
            }
            return (file, tail.head, tail.torn)
        }
        self.headFile = headFile
        self.wasMended = torn > 0
        self.state = Mutex(State(file: opened, head: head, opened: head.length))
    }

    /// Adds entries in their order and makes them durable, unless all are of files that are only verified; answers the hash
    /// of each one's line.
    ///
    /// After an error none of them is in the ledger; where it could not be flushed, nothing can be added any more.
    ///
    /// - Throws: `.noSpace`, `.io`, `.busy` where others have it locked for long, `.damaged` where somebody else has cut the
    ///   file.
    func append(_ entries: [LedgerEntry]) throws(FxferError) -> [Digest] {
        guard !entries.isEmpty else { return [] }
        // Those who wait for each other wait together.
        let deadline = self.folder.deadline
        let (hashes, file, head) = try self.state.withLock { state throws(FxferError) in
            try self.write(entries, &state, until: deadline)
        }
        // Without a flush the head must not be written: it could survive a loss of power that the lines do not.
        guard entries.contains(where: { $0.durability > .verified }) else { return hashes }
        do throws(Errno) {
            try file.sync(upTo: head.length)
        } catch {
            throw self.fail(file, error)
        }
        self.note(head, of: file, until: deadline)
        return hashes
    }

    /// Writes `ledger.head`, without a flush: it may be behind. Where the ledger was compacted meanwhile it is not written,
    /// as it would be ahead.
    private func note(_ head: LedgerHead, of file: LedgerFile, until deadline: NIODeadline) {
        try? Self.withLock(file, self.folder, until: deadline) { current throws(FxferError) in
            if current === file { try? self.headFile.write(head.encoded) }
        }
    }

    /// The last entry of `path`, with its line's hash; nil where there is none.
    ///
    /// Where it is asked for the first time, the whole ledger is read.
    func latest(for path: RelativePath) throws(FxferError) -> LedgerLine? {
        let deadline = self.folder.deadline
        return try self.state.withLock { state throws(FxferError) in
            // Where a flush failed, what was added may be cut off.
            if let failure = state.failure { throw failure }
            try Self.withLock(state.file, self.folder, until: deadline) { file throws(FxferError) in
                try self.catchUp(&state, with: file)
            }
            let (file, length) = (state.file, state.head.length)
            return try self.folder.doing("read") { () throws(Errno) -> LedgerLine? in
                if state.index == nil { state.index = try Self.index(of: file, length) }
                guard let offset = state.index?.offset(of: path) else { return nil }
                var lines = LedgerLines(from: offset, to: length, readSize: 1024)
                guard let bytes = try lines.next(in: file.descriptor)?.bytes, let line = LedgerLine(bytes),
                    line.entry.path == path
                else { return nil }
                return line
            }
        }
    }

    private func write(
        _ entries: [LedgerEntry],
        _ state: inout State,
        until deadline: NIODeadline
    ) throws(FxferError) -> (hashes: [Digest], LedgerFile, LedgerHead) {
        if let failure = state.failure { throw failure }
        return try Self.withLock(state.file, self.folder, until: deadline) { file throws(FxferError) in
            try self.catchUp(&state, with: file)
            var bytes: [UInt8] = []
            bytes.reserveCapacity(512 * entries.count)
            var hashes: [Digest] = []
            var last = state.head.last
            for entry in entries {
                state.index?.note(entry.path, at: state.head.length + UInt64(bytes.count))
                last = LedgerLine.write(entry, after: last, to: &bytes)
                hashes.append(last)
            }
            let length = state.head.length
            do throws(Errno) {
                try file.append(bytes, at: length)
            } catch {
                // What was noted of these entries is not there.
                state.index = nil
                throw self.folder.failure("add to", error)
            }
            state.head = LedgerHead(length: length + UInt64(bytes.count), last: last)
            return (hashes, file, state.head)
        }
    }

    /// Takes note of what others have added, or of the file that was put in this one's place.
    private func catchUp(_ state: inout State, with file: LedgerFile) throws(FxferError) {
        let isSame = file === state.file
        let length = try self.folder.doing("read") { () throws(Errno) in try file.length() }
        guard !isSame || length != state.head.length else { return }
        let tail = try Self.mendedTail(
            of: file,
            atLeast: isSame ? state.head : self.head(of: file, after: state.file),
            self.folder
        )
        var index = isSame ? state.index : nil
        // Where they cannot be read, all lines are, when the index is asked for next.
        do { try index?.note(file, from: state.head.length, to: tail.head.length) } catch { index = nil }
        state = State(file: file, head: tail.head, opened: tail.head.length, index: index, failure: state.failure)
    }

    private static func index(of file: LedgerFile, _ length: UInt64) throws(Errno) -> LedgerIndex {
        var index = LedgerIndex()
        try index.note(file, to: length)
        return index
    }

    /// What the ledger that has taken the place of the open one has at the least, by `ledger.head`. Only a compaction puts
    /// another file there, and writes both: what somebody else has put there, perhaps an older one, is not gone on with.
    private func head(of successor: LedgerFile, after file: LedgerFile) throws(FxferError) -> LedgerHead {
        let head = try self.folder.doing("read") { () throws(Errno) -> LedgerHead? in
            guard let compaction = try successor.compaction(), try compaction != file.compaction() else { return nil }
            return try self.folder.readHead().head
        }
        guard let head else { throw self.folder.exchanged() }
        return head
    }

    /// Nothing is added after a failed flush: whether the lines are on the disk is not known. They are cut off where
    /// nobody has added others behind them.
    private func fail(_ file: LedgerFile, _ error: Errno) -> FxferError {
        let failure = self.folder.failure("make durable", error)
        self.state.withLock { state in
            guard state.failure == nil else { return }
            state.failure = failure
            try? Self.withLock(file, self.folder, until: self.folder.deadline) { current throws(FxferError) in
                guard current === file, (try? file.length()) == state.head.length else { return }
                try? file.descriptor.truncate(to: max(file.durableLength, state.opened))
            }
        }
        return failure
    }

    /// The end of the file, without a torn line, which is cut off.
    ///
    /// - Throws: `.damaged` where it does not go beyond `known`, `.io`.
    private static func mendedTail(
        of file: LedgerFile,
        atLeast known: LedgerHead,
        _ folder: LedgerFolder
    ) throws(FxferError) -> LedgerTail {
        let length = try folder.doing("read") { () throws(Errno) in try file.length() }
        guard length >= known.length else {
            throw folder.damage("it has \(length) bytes and had \(known.length) before")
        }
        if known.length > 0 {
            let before = try LedgerTail(of: file, known.length, folder)
            guard before.head == known else { throw folder.damage("its line at byte \(known.length) was another") }
        }
        let tail = try LedgerTail(of: file, length, folder)
        guard tail.head.length >= known.length else { throw folder.damage("its end was another a moment ago") }
        if tail.torn > 0 {
            try folder.doing("mend") { () throws(Errno) in try file.descriptor.truncate(to: tail.head.length) }
        }
        return tail
    }

    /// Runs `body` with the ledger locked against other processes: with `file`, or with the one that has its name now.
    private static func withLock<Result>(
        _ file: LedgerFile,
        _ folder: LedgerFolder,
        until deadline: NIODeadline,
        _ body: (LedgerFile) throws(FxferError) -> Result
    ) throws(FxferError) -> Result {
        var file = file
        while true {
            try folder.doing("lock") { () throws(Errno) in try file.lock(until: deadline) }
            do {
                // Also where this fails: the file stays open, and nobody else would get it until this server ends.
                defer { file.unlock() }
                let isCurrent = try folder.doing("lock") { () throws(Errno) in try !folder.isReplaced(file) }
                if isCurrent { return try body(file) }
            }
            file = try folder.openSuccessor()
        }
    }
}
