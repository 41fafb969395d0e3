/// How much a store takes, in bytes.
public struct StorageLimits: Hashable, Sendable {
    /// The largest file; nil for any.
    public var maxFileSize: UInt64?
    /// How much content the store may hold in all, partials included; nil for any amount.
    public var maxTotalSize: UInt64?
    /// How much of the disk stays free; 0 for nothing.
    public var minFreeSpace: UInt64

    /// No limits, unless they are given.
    public init(maxFileSize: UInt64? = nil, maxTotalSize: UInt64? = nil, minFreeSpace: UInt64 = 0) {
        self.maxFileSize = maxFileSize
        self.maxTotalSize = maxTotalSize
        self.minFreeSpace = minFreeSpace
    }
}
