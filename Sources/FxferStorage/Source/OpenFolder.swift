import FxferProtocol
import Glibc

/// A folder in the middle of a walk: its descriptor, its names, and how far the walk has come.
final class OpenFolder {
    /// The paths by which a folder or one of its entries is known.
    struct Place {
        /// On this machine, for messages.
        let source: SourceName
        /// Relative to the root being sent, for exclude patterns; empty for the root itself.
        let below: [UInt8]
        /// On the receiver's side; nil for its directory itself.
        let destination: RelativePath?
    }

    let place: Place
    let descriptor: OwnedDescriptor
    /// As it was when it was opened.
    let status: FileStatus
    private var names = NameList()
    private var visited = 0

    init(_ place: Place, _ descriptor: consuming OwnedDescriptor) throws(Errno) {
        self.status = try descriptor.status()
        self.place = place
        self.descriptor = descriptor
    }

    /// Reads the names. After an error, those that could be read are there.
    func readNames() throws(Errno) {
        defer { self.names.sort() }
        try self.descriptor.forEachEntry { name, type in self.names.append(name, type: type) }
    }

    /// The next name; nil after the last one.
    func next() -> NameList.Name? {
        guard self.visited < self.names.count else { return nil }
        defer { self.visited += 1 }
        return self.names[self.visited]
    }

    /// The path of the entry `name` on this machine.
    func source(of name: ArraySlice<UInt8>) -> SourceName {
        SourceName(bytes: Self.join(self.place.source.bytes, name))
    }

    /// The path of the entry `name` relative to the root.
    func below(_ name: ArraySlice<UInt8>) -> [UInt8] {
        Self.join(self.place.below, name)
    }

    /// Where the entry `name` is stored.
    ///
    /// - Throws: `.nameRefused`, naming what cannot be stored.
    func destination(of name: ArraySlice<UInt8>) throws(FxferError) -> RelativePath {
        do throws(PathRule) {
            guard let folder = self.place.destination else { return try RelativePath(bytes: name) }
            return try folder.appending(name)
        } catch {
            let path = Self.join(self.place.destination?.bytes ?? [], name)
            throw FxferError(.nameRefused, "the name '\(EscapedText.escape(path))' \(error.explanation)", cause: error)
        }
    }

    private static func join(_ folder: [UInt8], _ name: ArraySlice<UInt8>) -> [UInt8] {
        var path = [UInt8]()
        path.reserveCapacity(folder.count + 1 + name.count)
        path.append(contentsOf: folder)
        if let last = folder.last, last != UInt8(ascii: "/") { path.append(UInt8(ascii: "/")) }
        path.append(contentsOf: name)
        return path
    }
}
