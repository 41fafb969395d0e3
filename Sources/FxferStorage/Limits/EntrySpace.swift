/// What the entries that a file needs count for in a store whose space is limited: empty files and folders take room, too.
struct EntrySpace: Hashable, Sendable {
    /// What a file or folder counts for at the least, in bytes: 4 KiB, a block of most file systems.
    static let least: UInt64 = 4096

    /// Whether it is a folder, which has no content.
    let isFolder: Bool
    /// How many folders have to be made for it, itself included where it is one.
    let newFolders: Int

    /// What it takes with `size` bytes of content.
    func total(_ size: UInt64) -> UInt64 {
        let folders = UInt64(clamping: self.newFolders) * Self.least
        let (sum, overflow) = folders.addingReportingOverflow(self.isFolder ? 0 : max(size, Self.least))
        return overflow ? .max : sum
    }
}
