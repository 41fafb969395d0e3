import CLibcrypto
import FxferProtocol

/// A running SHA-256 by libcrypto.
final class RunningHash {
    private let context: OpaquePointer

    init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("libcrypto has no SHA-256")
        }
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(self.context)
    }

    func update(_ bytes: UnsafeRawBufferPointer) {
        withExtendedLifetime(self) {
            precondition(EVP_DigestUpdate(self.context, bytes.baseAddress, bytes.count) == 1)
        }
    }

    func copy() -> RunningHash {
        let copy = RunningHash()
        // Without this an object may be freed as soon as its context was read from it.
        withExtendedLifetime((self, copy)) {
            precondition(EVP_MD_CTX_copy_ex(copy.context, self.context) == 1)
        }
        return copy
    }

    /// The digest so far; hashing may go on.
    func digest() -> Digest {
        var bytes = [UInt8](repeating: 0, count: Digest.byteCount)
        let copy = self.copy()
        withExtendedLifetime(copy) {
            precondition(EVP_DigestFinal_ex(copy.context, &bytes, nil) == 1)
        }
        guard let digest = Digest(bytes: bytes) else { preconditionFailure("a digest has 32 bytes") }
        return digest
    }
}

extension Digest {
    /// The SHA-256 of `bytes`.
    init(ofContent bytes: some Sequence<UInt8>) {
        let hash = RunningHash()
        Array(bytes).withUnsafeBytes { hash.update($0) }
        self = hash.digest()
    }

    /// A digest that stands for a running digest in tests of the machines, which never compute one.
    static func standIn(at offset: UInt64) -> Digest {
        let bytes = (0..<UInt64(Digest.byteCount)).map { UInt8(truncatingIfNeeded: offset >> (8 * ($0 % 8)) ^ $0) }
        guard offset > 0, let digest = Digest(bytes: bytes) else { return .ofNothing }
        return digest
    }
}

extension FilePrefix {
    /// All of `content`.
    init(ofContent content: some Collection<UInt8>) {
        self.init(length: UInt64(content.count), digest: Digest(ofContent: content))
    }

    /// A prefix with a stand-in for its digest.
    static func standIn(_ length: UInt64) -> FilePrefix {
        FilePrefix(length: length, digest: .standIn(at: length))
    }
}
