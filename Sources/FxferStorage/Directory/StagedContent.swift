import FxferProtocol
import Glibc
import NIOCore

/// What of a staged file was written and hashed, and what of that is kept.
struct StagedContent: ~Copyable, Sendable {
    private let path: RelativePath
    /// Nil once the file was given up, handed on to be published, or failed.
    private var file: PartialFile?
    /// Why there is no file.
    private var failure: FxferError?
    private(set) var position: UInt64 = 0
    private var hash = SHA256()
    private var keptPosition: UInt64 = 0
    private var keptHash = SHA256()
    /// Where the file on disk ends: beyond ``position`` after a rewind.
    private var end: UInt64 = 0

    init(_ file: consuming PartialFile, _ path: RelativePath) {
        self.file = consume file
        self.path = path
    }

    mutating func runningDigest() -> Digest {
        self.hash.digest()
    }

    /// Writes `bytes` at the position and hashes them; where that fails, the file is given up at once: a full disk
    /// has room again for others.
    mutating func append(_ bytes: ByteBuffer) throws(FxferError) {
        guard let file = self.file.take() else { throw self.reason }
        do {
            try receiving("write", self.path) {
                try bytes.withUnsafeReadableBytes { try file.file.write($0, at: self.position) }
            }
        } catch {
            self.failure = error
            throw error
        }
        self.file = consume file
        self.hash.update(bytes)
        self.position += UInt64(bytes.readableBytes)
        self.end = max(self.end, self.position)
    }

    mutating func keep() {
        self.keptPosition = self.position
        self.keptHash.become(self.hash)
    }

    mutating func rewind() {
        self.position = self.keptPosition
        self.hash.become(self.keptHash)
    }

    mutating func discard() {
        self.file = nil
    }

    /// Hands on the file, cut to the position, with what is to be known about its content.
    mutating func takeForPublishing() throws(FxferError) -> FinishedFile {
        guard let file = self.file.take() else { throw self.reason }
        if self.end > self.position {
            try receiving("write", self.path) { try file.file.truncate(to: self.position) }
        }
        return FinishedFile(file: file, size: self.position, digest: self.hash.digest())
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
}
