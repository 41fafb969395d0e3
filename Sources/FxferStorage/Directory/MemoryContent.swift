import FxferProtocol
import NIOCore

/// What was received of a small file, held in memory until it is published.
///
/// The bytes are copied: a slice of what the socket gave would keep all of that alive.
struct MemoryContent: ~Copyable, Sendable {
    /// The largest file that is held in memory: 32 KiB.
    static let maxSize: UInt64 = 32 << 10

    private let path: RelativePath
    private let size: Int
    /// Nil once the file was given up or handed on.
    private var held: HeldBytes?
    private var hash = SHA256()
    /// Of all bytes so far, once somebody asked.
    private var digest: Digest?
    private var keptCount = 0
    private(set) var position: UInt64 = 0

    /// - Parameters:
    ///   - size: how many bytes were announced; no more are taken.
    ///   - share: what is given back when the bytes are gone.
    init(_ path: RelativePath, size: Int, _ share: MemoryBudget.Share?) {
        self.path = path
        self.size = size
        self.held = HeldBytes(share: share)
    }

    mutating func runningDigest() -> Digest {
        if let digest = self.digest { return digest }
        let digest = self.hash.digest()
        self.digest = digest
        return digest
    }

    /// Adds `bytes`, unless they are more than was announced or the file was given up: false then.
    mutating func appendIfFits(_ bytes: ByteBuffer) -> Bool {
        guard bytes.readableBytes <= self.size - Int(self.position), var held = self.held.take() else { return false }
        if held.bytes.isEmpty { held.bytes.reserveCapacity(self.size) }
        held.bytes.append(contentsOf: bytes.readableBytesView)
        self.held = held
        self.hash.update(bytes)
        self.digest = nil
        self.position += UInt64(bytes.readableBytes)
        return true
    }

    mutating func append(_ bytes: ByteBuffer) throws(FxferError) {
        guard !self.appendIfFits(bytes) else { return }
        guard self.held != nil else { throw self.reason }
        throw FxferError(.tooLarge, "cannot write '\(self.path)': it is longer than the \(self.size) bytes announced")
    }

    mutating func keep() {
        self.keptCount = Int(self.position)
    }

    /// Hashes what is kept anew: at most 32 KiB, and only after damage on the way, so that no second hash is carried
    /// along for it.
    mutating func rewind() {
        guard self.keptCount < self.position, var held = self.held.take() else { return }
        held.bytes.removeLast(held.bytes.count - self.keptCount)
        self.hash = SHA256()
        self.digest = nil
        held.bytes.withUnsafeBytes { self.hash.update($0) }
        self.position = UInt64(self.keptCount)
        self.held = held
    }

    mutating func restart() {
        self.keptCount = 0
        self.rewind()
    }

    mutating func discard() {
        self.held = nil
    }

    mutating func takeForPublishing() throws(FxferError) -> FinishedContent {
        guard let held = self.held.take() else { throw self.reason }
        return FinishedContent(held: held, size: self.position, digest: self.runningDigest())
    }

    private var reason: FxferError {
        FxferError(.internal, "'\(self.path)' was given up or published already")
    }
}

/// Bytes in memory and the part of the budget that they take.
struct HeldBytes: Sendable {
    var bytes: [UInt8] = []
    let share: MemoryBudget.Share?
}
