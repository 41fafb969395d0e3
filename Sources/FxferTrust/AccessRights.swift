/// What a client may do on a server.
public struct AccessRights: OptionSet, Hashable, Sendable {
    /// One bit for each right.
    public let rawValue: UInt8

    /// The rights of these bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Store files and folders.
    public static let upload = AccessRights(rawValue: 1)
    /// Get files, where the server shares them.
    public static let read = AccessRights(rawValue: 2)
    /// List folders, where the server shares them.
    public static let list = AccessRights(rawValue: 4)
    /// Every right.
    public static let all: AccessRights = [.upload, .read, .list]
}
