/// Where a file is stored, relative to the receiver's directory: one or more components, each a string of bytes.
///
/// Names are judged byte by byte and never as text: to Swift's `Character`, a slash that is followed by a combining
/// character is no slash, CR LF holds no LF, and two spellings of `é` are equal. To a file system they are not.
/// A value of this type has passed every rule of ``PathRule``.
public struct RelativePath: Hashable, Sendable {
    /// The longest component in bytes (NAME_MAX of Linux file systems).
    public static let maxComponentBytes = 255
    /// The longest path in bytes, slashes included (PATH_MAX of Linux).
    public static let maxBytes = 4096
    /// The most components.
    public static let maxComponents = 64
    /// The receiver's own folder; no path may begin with it.
    public static let reservedFirstComponent = Array(".fxfer".utf8)

    /// The path's bytes, components separated by 0x2F (`/`).
    public let bytes: [UInt8]

    /// Checks `bytes`, whose components are separated by 0x2F.
    ///
    /// - Throws: the first ``PathRule`` that is broken.
    public init(bytes: some Collection<UInt8>) throws(PathRule) {
        guard bytes.count <= Self.maxBytes else { throw .tooLong }
        // As an array first: a collection of a type that only the caller knows is slow to go through byte by byte.
        try self.init(checking: Array(bytes))
    }

    private init(checking bytes: [UInt8]) throws(PathRule) {
        guard bytes.count <= Self.maxBytes else { throw .tooLong }
        guard !bytes.isEmpty else { throw .empty }
        let slashes = bytes.count { $0 == UInt8(ascii: "/") }
        guard slashes < Self.maxComponents else { throw .tooDeep }
        var rest = bytes[...]
        for _ in 0..<slashes {
            let component = rest.prefix { $0 != UInt8(ascii: "/") }
            try Self.check(component)
            rest = rest[(component.endIndex + 1)...]
        }
        try Self.check(rest)
        guard bytes.prefix(while: { $0 != UInt8(ascii: "/") }) != Self.reservedFirstComponent[...] else {
            throw .reserved
        }
        self.bytes = bytes
    }

    private static func check(_ component: ArraySlice<UInt8>) throws(PathRule) {
        guard !component.isEmpty else { throw .emptyComponent }
        guard component.count <= Self.maxComponentBytes else { throw .componentTooLong }
        guard component.count > 2 || !component.allSatisfy({ $0 == UInt8(ascii: ".") }) else { throw .dots }
        guard !component.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { throw .controlByte }
    }

    /// The path's components, at least one.
    public var components: [ArraySlice<UInt8>] {
        self.bytes.split(separator: UInt8(ascii: "/"))
    }

    /// The last component: the file's own name.
    public var lastComponent: ArraySlice<UInt8> {
        self.bytes[((self.bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]
    }

    /// Whether `folder` leads to this path.
    public func isBeneath(_ folder: RelativePath) -> Bool {
        self.bytes.count > folder.bytes.count && self.bytes[folder.bytes.count] == UInt8(ascii: "/")
            && self.bytes.starts(with: folder.bytes)
    }

    /// This path with `name` as a further component.
    ///
    /// - Throws: the ``PathRule`` that the longer path breaks.
    public func appending(_ name: some Collection<UInt8>) throws(PathRule) -> RelativePath {
        var bytes = self.bytes
        bytes.append(UInt8(ascii: "/"))
        bytes.append(contentsOf: name)
        return try RelativePath(checking: bytes)
    }
}

extension RelativePath: CustomStringConvertible {
    /// The path for a person's eyes, escaped; see ``EscapedText``.
    public var description: String { EscapedText.escape(self.bytes) }
}
