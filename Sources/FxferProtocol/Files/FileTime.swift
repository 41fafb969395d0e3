/// A point in time as file systems keep it: seconds since 1970-01-01 00:00 UTC and nanoseconds within the second.
public struct FileTime: Hashable, Sendable {
    /// Seconds since the epoch; negative before it.
    public let seconds: Int64
    /// 0 to 999,999,999.
    public let nanoseconds: UInt32

    /// What is told of a file or folder whose time nobody knows: the earliest of all times.
    package static let unknown = FileTime(seconds: .min, nanoseconds: 0)

    /// Makes a time; nanoseconds beyond a second are cut to 999,999,999.
    public init(seconds: Int64, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = min(nanoseconds, 999_999_999)
    }
}
