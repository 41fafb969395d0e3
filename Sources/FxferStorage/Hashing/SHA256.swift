import CLibcrypto
import FxferProtocol
import NIOCore

/// A running SHA-256 (FIPS 180-4), computed by libcrypto, whose digest can be asked for at any point.
///
/// A value has one owner and is not copied by accident: ``copy()`` says so. Running out of memory inside libcrypto is
/// the only way in which its calls can fail here, and ends the process.
package struct SHA256: ~Copyable, Sendable {
    // An EVP_MD_CTX has no thread of its own; that no two use one at once follows from the single owner, as whatever
    // changes a context is `mutating`.
    private nonisolated(unsafe) let context: OpaquePointer
    // The same holds for this one: only ``digest()``, which is `mutating`, finalises in it, so that it allocates none.
    private nonisolated(unsafe) let scratch: OpaquePointer

    // Fetched once: a lookup by name costs more than hashing a small file. Immutable and reference-counted by libcrypto.
    private nonisolated(unsafe) static let algorithm: OpaquePointer = {
        guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
            preconditionFailure("libcrypto has no SHA-256: its configuration leaves out the default provider")
        }
        return algorithm
    }()

    /// The hash of no bytes.
    package init() {
        self.init(contexts: Self.makeContext(), Self.makeContext())
        Self.expect(EVP_DigestInit_ex2(self.context, Self.algorithm, nil), "EVP_DigestInit_ex2")
    }

    private init(contexts context: OpaquePointer, _ scratch: OpaquePointer) {
        self.context = context
        self.scratch = scratch
    }

    deinit {
        EVP_MD_CTX_free(self.context)
        EVP_MD_CTX_free(self.scratch)
    }

    /// Adds `bytes` to what was hashed so far.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        Self.expect(EVP_DigestUpdate(self.context, bytes.baseAddress, bytes.count), "EVP_DigestUpdate")
    }

    /// Adds the readable bytes of `buffer`.
    package mutating func update(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { self.update($0) }
    }

    /// A second hash of the same bytes, which goes its own way from here.
    package func copy() -> SHA256 {
        let copy = SHA256(contexts: Self.makeContext(), Self.makeContext())
        Self.expect(EVP_MD_CTX_copy_ex(copy.context, self.context), "EVP_MD_CTX_copy_ex")
        return copy
    }

    /// Makes this hash one of the same bytes as `other`, like ``copy()`` without new contexts.
    package mutating func become(_ other: borrowing SHA256) {
        Self.expect(EVP_MD_CTX_copy_ex(self.context, other.context), "EVP_MD_CTX_copy_ex")
    }

    /// The digest of all bytes so far; hashing goes on as if it had not been asked.
    ///
    /// Costs a copy of the state (about 112 bytes) and one or two blocks, well under a microsecond.
    package mutating func digest() -> Digest {
        Self.expect(EVP_MD_CTX_copy_ex(self.scratch, self.context), "EVP_MD_CTX_copy_ex")
        return Self.finalise(self.scratch)
    }

    /// The digest of all bytes so far; afterwards this is the hash of no bytes again.
    ///
    /// The cheapest way to hash many small files in turn: no state is copied, no context made.
    package mutating func finish() -> Digest {
        let digest = Self.finalise(self.context)
        Self.expect(EVP_DigestInit_ex2(self.context, nil, nil), "EVP_DigestInit_ex2")
        return digest
    }

    private static func finalise(_ context: OpaquePointer) -> Digest {
        withUnsafeTemporaryAllocation(byteCount: Digest.byteCount, alignment: 1) { bytes in
            Self.expect(
                EVP_DigestFinal_ex(context, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), nil),
                "EVP_DigestFinal_ex"
            )
            guard let digest = Digest(bytes: UnsafeRawBufferPointer(bytes)) else {
                preconditionFailure("a digest has 32 bytes")
            }
            return digest
        }
    }

    private static func makeContext() -> OpaquePointer {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("EVP_MD_CTX_new: out of memory") }
        return context
    }

    private static func expect(_ result: CInt, _ call: String) {
        guard result == 1 else { preconditionFailure("\(call) failed: out of memory") }
    }
}
