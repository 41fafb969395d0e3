import FxferProtocol
import Glibc
import NIOCore

/// What of a staged file was written and hashed, and what of that is kept.
struct StagedContent: ~Copyable, Sendable {
    private let path: RelativePath
    /// The decayed file that this one is to take the place of.
    private let base: PublishedFile?
    /// Nil once the file was given up, handed on to be published, or failed.
    private var file: PartialFile?
    /// Why there is no file.
    private var failure: FxferError?
    /// How many bytes it has. Those of a call that failed are hashed, but do not count.
    private(set) var position: UInt64
    private var hash: SteppedHash
    private var kept: SteppedHash.Place
    /// Where the file on disk ends: beyond ``position`` after a rewind.
    private var end: UInt64
    /// What is verified and not yet in the partial's journal.
    private var record: PartialRecord?
    /// Whether what the disk has is to be forgotten.
    private var isRestarting = false
    /// When something was appended last.
    private var lastAppend = ContinuousClock.now

    /// - Parameters:
    ///   - hash: what hashed the bytes that the file has, all of them verified.
    ///   - base: what ``fill(upTo:on:)`` reads.
    init(
        _ file: consuming PartialFile,
        _ path: RelativePath,
        hash: consuming SteppedHash = SteppedHash(),
        base: PublishedFile? = nil
    ) {
        self.file = consume file
        self.path = path
        self.base = base
        self.kept = hash.place()
        self.position = hash.position
        self.end = hash.position
        self.hash = hash
    }

    var isResumable: Bool {
        mutating get { self.file?.isResumable ?? false }
    }

    mutating func runningDigest() -> Digest {
        self.hash.digest()
    }

    /// Writes `pieces` at the position and hashes them, both at once where a processor is free. Where writing fails, the
    /// file is given up at once: a full disk has room again for others.
    mutating func append(_ pieces: [ByteBuffer], on pool: DiskPool) throws(FxferError) {
        guard var file = self.file.take() else { throw self.reason }
        let count = pieces.reduce(0) { $0 + $1.readableBytes }
        do {
            try receiving("write", self.path) {
                try self.catchUp(&file)
                let (number, position) = (file.file.number, self.position)
                let writing = SideJob { Self.write(pieces, to: number, at: position) }
                if count >= Self.enoughForTwoThreads { pool.offer(writing) }
                for bytes in pieces { self.hash.update(bytes) }
                // The file is open until this has returned.
                if let failure = writing.finish() { throw failure }
            }
        } catch {
            self.failure = error
            throw error
        }
        self.file = consume file
        self.position = self.hash.position
        self.end = max(self.end, self.position)
        self.lastAppend = .now
    }

    /// Appends what the decayed file has from the position to `offset`. Where that cannot be read, the file is given up.
    mutating func fill(upTo offset: UInt64, on pool: DiskPool) throws(FxferError) {
        guard let base else { throw .repairsNone }
        while self.position < offset {
            let count = Int(min(offset - self.position, Self.bytesPerFill))
            let bytes: ByteBuffer
            do {
                bytes = try base.read(count, at: self.position)
            } catch {
                self.file = nil
                self.failure = error
                throw error
            }
            try self.append([bytes], on: pool)
        }
    }

    /// As much as a chunk usually has.
    private static let bytesPerFill: UInt64 = 1 << 20

    /// About 0.1 ms of hashing; to wake a thread takes a tenth of that.
    private static let enoughForTwoThreads = 256 << 10

    /// Writes `pieces` at `position` of the open file `number`; answers why that failed.
    private static func write(_ pieces: [ByteBuffer], to number: CInt, at position: UInt64) -> Errno? {
        do throws(Errno) {
            var position = position
            for bytes in pieces {
                try bytes.withUnsafeReadableBytes { bytes throws(Errno) in
                    try OwnedDescriptor.write(bytes, at: position, to: number)
                }
                position += UInt64(bytes.readableBytes)
            }
            return nil
        } catch {
            return error
        }
    }

    /// Does to the partial on disk what was noted by calls that do not wait.
    private mutating func catchUp(_ file: inout PartialFile) throws(Errno) {
        if self.isRestarting {
            try file.restart()
            self.isRestarting = false
            self.end = 0
        }
        if let record = self.record.take() { try file.add(record) }
    }

    mutating func keep() {
        if self.file?.isResumable == true, self.position > self.kept.position {
            self.record = PartialRecord(length: self.position, digest: self.hash.digest())
        }
        self.kept = self.hash.place()
    }

    mutating func rewind() {
        self.hash.goBack(to: self.kept)
        self.position = self.kept.position
    }

    mutating func restart() {
        self.position = 0
        self.hash = SteppedHash()
        self.keep()
        self.record = nil
        self.isRestarting = self.file?.isResumable == true
    }

    mutating func discard() {
        self.file = nil
    }

    /// Lets go of the file, and leaves what is verified of it for a later try. False, and it is removed, where that is
    /// nothing, or more than `maxBytes`, or cannot be written down.
    mutating func leave(atMost maxBytes: UInt64) -> Bool {
        guard var file = self.file.take() else { return false }
        guard file.isResumable, self.kept.position > 0, self.kept.position <= maxBytes else { return false }
        do {
            try self.catchUp(&file)
            if self.end > self.kept.position { try file.file.truncate(to: self.kept.position) }
        } catch {
            return false
        }
        file.leave()
        return true
    }

    /// ``leave(atMost:)`` for another connection's sake, unless something was appended within the last `silence`. False
    /// where this one goes on.
    mutating func handOver(afterSilence silence: Duration, atMost maxBytes: UInt64) -> Bool {
        guard self.file != nil else { return true }
        guard ContinuousClock.now - self.lastAppend >= silence else { return false }
        self.failure = FxferError(.busy, "receiving '\(self.path)' was taken over by a newer connection")
        _ = self.leave(atMost: maxBytes)
        return true
    }

    /// Hands on the file, cut to the position, with what is to be known about its content.
    mutating func takeForPublishing() throws(FxferError) -> FinishedFile {
        guard let file = self.file.take() else { throw self.reason }
        if self.end > self.position {
            try receiving("write", self.path) { try file.file.truncate(to: self.position) }
        }
        return FinishedFile(
            file: file,
            size: self.position,
            digest: self.hash.digest(),
            states: self.hash.states.isEmpty ? nil : self.hash.states
        )
    }

    private var reason: FxferError {
        self.failure ?? FxferError(.internal, "'\(self.path)' was given up or published already")
    }
}

/// A staged file whose content is complete.
struct FinishedFile: ~Copyable, Sendable {
    var file: PartialFile
    let size: UInt64
    let digest: Digest
    /// Nil where it has none.
    let states: HashStates?
}
