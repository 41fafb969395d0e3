import FxferProtocol

/// What a file's content has to be for it to be published; what is nil may be anything.
public struct ExpectedContent: Hashable, Sendable {
    /// Size in bytes.
    public var size: UInt64?
    /// SHA-256.
    public var digest: Digest?

    /// Describes the content; what is nil may be anything.
    public init(size: UInt64? = nil, digest: Digest? = nil) {
        self.size = size
        self.digest = digest
    }

    /// - Parameter size: the content's size where it is known.
    /// - Throws: `damaged` where it is another one.
    func check(size: UInt64?, _ name: String) throws(FxferError) {
        guard let wanted = self.size, let size, size != wanted else { return }
        throw FxferError(.damaged, "'\(name)' has \(size) bytes, expected were \(wanted); it is not stored")
    }

    /// - Throws: `damaged` where `content` is something else.
    func check(_ content: FilePrefix, _ name: String) throws(FxferError) {
        try self.check(size: content.length, name)
        if let digest, content.digest != digest {
            throw FxferError(
                .damaged,
                "'\(name)' has the SHA-256 \(content.digest), not the expected one; it is not stored"
            )
        }
    }
}
