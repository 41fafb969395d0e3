/// What a sender says about a file beside its name. Each part may be unknown.
public struct FileAttributes: Hashable, Sendable {
    /// The largest file that version 1 can carry: 2^60 bytes (1 EiB).
    public static let maxSize: UInt64 = 1 << 60
    /// The permission bits that travel: read, write and execute for user, group and others. Never set-id or sticky.
    public static let permissionMask: UInt16 = 0o777

    /// Size in bytes, nil for a stream whose end is not known yet.
    public var size: UInt64?
    /// When the file's content was last modified.
    public var modified: FileTime?
    /// Permission bits; only those in ``permissionMask`` count.
    public var permissions: UInt16?
    /// Whether it is a folder: it has no content, and its size is 0.
    public var isFolder: Bool

    /// Describes a file or a folder; what is nil is unknown.
    public init(
        size: UInt64? = nil,
        modified: FileTime? = nil,
        permissions: UInt16? = nil,
        isFolder: Bool = false
    ) {
        self.size = isFolder ? 0 : size
        self.modified = modified
        self.permissions = permissions
        self.isFolder = isFolder
    }
}
