import FxferProtocol
import Glibc
import NIOCore

/// `DIR/.fxfer`, as far as the ledger goes.
final class LedgerFolder: Sendable {
    private static let ledger = CPath("ledger.jsonl")
    private static let head = CPath("ledger.head")
    /// What a compaction writes, until it takes the ledger's name.
    private static let compacted = CPath("ledger.new")

    private let descriptor: OwnedDescriptor
    /// The directory, escaped: for messages.
    let directory: String
    private let patience: TimeAmount

    /// - Parameters:
    ///   - descriptor: `DIR/.fxfer`.
    ///   - directory: the path of `DIR`.
    ///   - patience: how long to wait while others have the ledger locked: as long as some million lines take to be
    ///     compacted, as whoever compacts may also have been stopped.
    init(_ descriptor: consuming OwnedDescriptor, of directory: [UInt8], patience: TimeAmount = .minutes(1)) {
        self.descriptor = descriptor
        self.directory = EscapedText.escape(directory)
        self.patience = patience
    }

    /// Until when somebody who comes now waits for the ledger's lock.
    var deadline: NIODeadline { .now() + self.patience }

    /// Opens the ledger to read it; nil where there is none.
    func openForReading() throws(Errno) -> LedgerFile? {
        do {
            return LedgerFile(try self.openFile(Self.ledger, O_RDONLY))
        } catch {
            guard error.number == ENOENT else { throw error }
            return nil
        }
    }

    /// How many bytes the ledger had, where there is none any more; nil where there is one, or never was.
    func lengthOfMissing() throws(FxferError) -> UInt64? {
        try self.doing("open") { () throws(Errno) in
            guard try self.openForReading() == nil, let head = try self.readHead().head, head != .empty else {
                return nil
            }
            return head.length
        }
    }

    /// Opens the ledger to add to it, and makes it where it is missing.
    func openForAppending() throws(Errno) -> LedgerFile {
        let file = try self.openOrMake(Self.ledger)
        try self.descriptor.sync()
        return LedgerFile(file)
    }

    /// Whether another file has taken the ledger's name from `file`, or none has it.
    func isReplaced(_ file: LedgerFile) throws(Errno) -> Bool {
        try self.descriptor.status(of: Self.ledger)?.identity != file.descriptor.status().identity
    }

    /// Opens the ledger that has taken the place of one that was open.
    ///
    /// - Throws: `.damaged` where there is none; `.io`.
    func openSuccessor() throws(FxferError) -> LedgerFile {
        do throws(Errno) {
            return LedgerFile(try self.openFile(Self.ledger, O_RDWR))
        } catch {
            throw error.number == ENOENT ? self.exchanged() : self.failure("open", error)
        }
    }

    func readHead() throws(Errno) -> HeadFile {
        do {
            let file = try self.openFile(Self.head, O_RDONLY)
            return HeadFile(try file.bytes(LedgerHead.byteCount + 1, at: 0))
        } catch {
            guard error.number == ENOENT else { throw error }
            return .none
        }
    }

    /// Opens `ledger.head` to write it.
    func openHead() throws(Errno) -> OwnedDescriptor {
        try self.openOrMake(Self.head)
    }

    /// A new file for a ledger that is to take the place of the one there is. Only for those who have the ledger locked:
    /// what a compaction that was killed has left is removed.
    func createCompacted() throws(Errno) -> LedgerFile {
        self.removeCompacted()
        return LedgerFile(try self.make(Self.compacted))
    }

    private func openOrMake(_ name: CPath) throws(Errno) -> OwnedDescriptor {
        while true {
            do throws(Errno) {
                return try self.openFile(name, O_RDWR)
            } catch {
                guard error.number == ENOENT else { throw error }
            }
            do throws(Errno) {
                return try self.make(name)
            } catch {
                // Another server was faster.
                guard error.number == EEXIST else { throw error }
            }
        }
    }

    /// Makes a file. It belongs to whom the folder belongs to, also where root makes it: else the server could not open
    /// it any more.
    private func make(_ name: CPath) throws(Errno) -> OwnedDescriptor {
        let file = try self.openFile(name, O_RDWR | O_CREAT | O_EXCL)
        let owner = try self.descriptor.status().owner
        if geteuid() == 0, owner != 0 { try once(.fchown, file.number) { fchown($0, owner, gid_t.max) } }
        return file
    }

    /// Opens a file, and waits for nobody where it is a FIFO.
    ///
    /// - Throws: ESPIPE where it is neither file nor folder, as reading it would.
    private func openFile(_ name: CPath, _ flags: CInt) throws(Errno) -> OwnedDescriptor {
        let mode: mode_t = flags & O_CREAT == 0 ? 0 : 0o600
        let file = try self.descriptor.openBeneath(name, flags | O_NONBLOCK | O_NOCTTY, mode: mode)
        let kind = try file.status().kind
        guard kind == .regular else { throw Errno(kind == .folder ? EISDIR : ESPIPE) }
        return file
    }

    /// The file of ``createCompacted()`` takes the ledger's name, durably.
    func replaceByCompacted() throws(Errno) {
        try self.descriptor.replace(Self.ledger, with: Self.compacted)
        try self.descriptor.sync()
    }

    /// Only for those who have the ledger locked.
    func removeCompacted() {
        try? self.descriptor.remove(Self.compacted)
    }

    /// The error of a file call on the ledger.
    func failure(_ operation: String, _ error: Errno) -> FxferError {
        let (code, reason): (FxferError.Code, String) =
            switch error.number {
            case EWOULDBLOCK: (.busy, "another program has it locked; try again later")
            default: (error.receiverCode == .noSpace ? .noSpace : .io, "\(error)")
            }
        return FxferError(code, "cannot \(operation) the ledger of '\(self.directory)': \(reason)", cause: error)
    }

    /// There is no ledger: `.damaged` where there was one.
    func missing() -> FxferError {
        guard let gone = try? self.lengthOfMissing() else {
            return FxferError(
                .noInput,
                "there is no ledger in '\(self.directory)': no server has stored anything there"
            )
        }
        return FxferError(
            .damaged,
            "the ledger of '\(self.directory)' is gone, and had \(gone) bytes: bring it back from a copy. To begin a new "
                + "one, stop its servers and move ledger.head away from its .fxfer"
        )
    }

    /// What has the ledger's name is not what a server or a compaction has put there.
    func exchanged() -> FxferError {
        FxferError(
            .damaged,
            "the ledger of '\(self.directory)' was taken away or exchanged while a server had it open: bring it back, or "
                + "restart the server to go on without"
        )
    }

    /// The ledger is not as it was written.
    func damage(_ what: String) -> FxferError {
        FxferError(
            .damaged,
            "the ledger of '\(self.directory)' is damaged: \(what); see 'fxfer verify'. To begin a new one, stop its "
                + "servers and move ledger.jsonl and ledger.head away from its .fxfer"
        )
    }

    /// Runs file calls on the ledger; tells a failed one as a failure of `operation`.
    func doing<Result: ~Copyable>(
        _ operation: String,
        _ body: () throws(Errno) -> Result
    ) throws(FxferError) -> Result {
        do {
            return try body()
        } catch {
            throw self.failure(operation, error)
        }
    }
}
