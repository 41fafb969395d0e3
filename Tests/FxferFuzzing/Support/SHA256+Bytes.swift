import FxferProtocol

@testable import FxferStorage

extension Digest {
    /// The SHA-256 of `bytes`.
    init(ofContent bytes: [UInt8]) {
        self = SHA256.digest(of: bytes[...])
    }
}

extension FilePrefix {
    /// All of `content`.
    init(ofContent content: [UInt8]) {
        self.init(length: UInt64(content.count), digest: Digest(ofContent: content))
    }
}
