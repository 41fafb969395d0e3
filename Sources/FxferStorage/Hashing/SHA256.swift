import CLibcrypto
import FxferProtocol
import NIOCore

/// A running SHA-256 (FIPS 180-4), computed by libcrypto, whose digest can be asked for at any point.
///
/// It is done by SHA256_Init(3) and its like rather than by EVP_DigestInit(3): from those the inner state can be read
/// and set (``HashState``), and they need no memory of their own. The computation is the same: libcrypto's EVP calls it.
///
/// A value has one owner and is not copied by accident: ``copy()`` says so.
package struct SHA256: ~Copyable, Sendable {
    private var context: SHA256_CTX

    /// The hash of no bytes.
    package init() {
        self.context = SHA256_CTX()
        Self.expect(SHA256_Init(&self.context), "SHA256_Init")
    }

    /// The hash of `count` bytes that have led to `state`; `count` is a multiple of 64.
    init(of count: UInt64, _ state: HashState) {
        precondition(count.isMultiple(of: UInt64(HashState.blockSize)), "there is no inner state within a block")
        self.init()
        self.context.h = state.words
        // The length is counted in bits, of which SHA-256 takes 2^64 at the most.
        let bits = count << 3
        (self.context.Nl, self.context.Nh) = (UInt32(truncatingIfNeeded: bits), UInt32(bits >> 32))
    }

    /// Adds `bytes` to what was hashed so far.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        Self.expect(SHA256_Update(&self.context, bytes.baseAddress, bytes.count), "SHA256_Update")
    }

    /// Adds the readable bytes of `buffer`.
    package mutating func update(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { self.update($0) }
    }

    /// A second hash of the same bytes, which goes its own way from here.
    package func copy() -> SHA256 {
        SHA256(self.context)
    }

    /// Makes this hash one of the same bytes as `other`, like ``copy()``.
    package mutating func become(_ other: borrowing SHA256) {
        self.context = other.context
    }

    /// The digest of all bytes so far; hashing goes on as if it had not been asked.
    ///
    /// Costs a copy of the context (112 bytes) and one or two blocks, well under a microsecond.
    package func digest() -> Digest {
        var context = self.context
        return Self.finalise(&context)
    }

    /// The digest of all bytes so far; afterwards this is the hash of no bytes again.
    package mutating func finish() -> Digest {
        let digest = Self.finalise(&self.context)
        Self.expect(SHA256_Init(&self.context), "SHA256_Init")
        return digest
    }

    /// What all bytes so far have led to; nil in the middle of a block, whose bytes are not in it.
    var state: HashState? {
        self.context.num == 0 ? HashState(words: self.context.h) : nil
    }

    /// Where this hash is, as something that can be kept and gone on from. `position` is how many bytes were hashed.
    package func checkpoint(at position: UInt64) -> HashCheckpoint {
        let count = Int(self.context.num)
        let pending = withUnsafeBytes(of: self.context.data) { Array($0.prefix(count)) }
        return HashCheckpoint(position: position, state: HashState(words: self.context.h), pending: pending)
    }

    /// Goes on from a checkpoint.
    package init(_ checkpoint: HashCheckpoint) {
        self.init(of: checkpoint.position - UInt64(checkpoint.pending.count), checkpoint.state)
        checkpoint.pending.withUnsafeBytes { self.update($0) }
    }

    private init(_ context: SHA256_CTX) {
        self.context = context
    }

    private static func finalise(_ context: inout SHA256_CTX) -> Digest {
        withUnsafeTemporaryAllocation(byteCount: Digest.byteCount, alignment: 1) { bytes in
            Self.expect(
                SHA256_Final(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), &context),
                "SHA256_Final"
            )
            guard let digest = Digest(bytes: UnsafeRawBufferPointer(bytes)) else {
                preconditionFailure("a digest has 32 bytes")
            }
            return digest
        }
    }

    /// They have no reason to fail, and a wrong digest must never be told.
    private static func expect(_ result: CInt, _ call: String) {
        guard result == 1 else { preconditionFailure("\(call) failed") }
    }
}
