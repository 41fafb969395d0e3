extension AccessRights {
    /// Every right with its name in token files and on the command line, in the order in which they are written.
    private static let names: [(name: String, right: AccessRights)] = [
        ("upload", .upload), ("read", .read), ("list", .list),
    ]

    /// Reads names of rights with commas between them; nil where one is unknown or there is none.
    public init?(names text: String) {
        self = []
        for part in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard let known = Self.names.first(where: { $0.name.utf8.elementsEqual(part) }) else { return nil }
            self.insert(known.right)
        }
    }
}

extension AccessRights: CustomStringConvertible {
    /// The names of the rights with commas between them; nothing for none.
    public var description: String {
        Self.names.filter { self.contains($0.right) }.map(\.name).joined(separator: ",")
    }
}
