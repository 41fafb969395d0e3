import FxferProtocol
import Glibc

extension TreeWalk {
    /// What `name` stands for, and whether that is behind a symbolic link that is to be followed.
    ///
    /// - Throws: `.noInput` where it is gone, or a link leads nowhere.
    func kind(
        of name: NameList.Name,
        _ entry: CPath,
        _ source: SourceName,
        in folder: OpenFolder
    ) throws(FxferError) -> (FileKind, isLink: Bool) {
        let kind: FileKind
        if let known = name.kind {
            kind = known
        } else {
            guard let status = try source.opening({ try folder.descriptor.status(of: entry) }) else {
                throw source.missing()
            }
            kind = status.kind
        }
        guard kind == .link, self.options.followsLinks else { return (kind, false) }
        let target = try source.opening {
            var status = stat()
            try once(.fstatat, folder.descriptor.number) { fstatat($0, entry.characters, &status, 0) }
            return FileKind(mode: status.st_mode)
        }
        return (target, true)
    }

    /// Whether a pattern leaves out the entry `name` of `folder`.
    func isExcluded(_ name: NameList.Name, _ kind: FileKind, in folder: OpenFolder) -> Bool {
        guard !self.options.excludes.isEmpty else { return false }
        let path = folder.below(name.bytes)
        return self.options.excludes.contains { $0.matches(path, isFolder: kind == .folder) }
    }

    /// Opens a folder and goes on in it; answers what there is to tell of it already.
    ///
    /// - Throws: `.noInput` where it cannot be read or is one of the folders above it, `.nameRefused` where it lies too
    ///   deep, `.busy`. The walk passes it by.
    mutating func enter(
        _ place: OpenFolder.Place,
        _ open: () throws(Errno) -> OwnedDescriptor
    ) throws(FxferError) -> SourceEntry.Content? {
        guard self.folders.count < Self.maxDepth else {
            let text = place.source.text
            throw FxferError(.nameRefused, "the folder '\(text)' lies below \(Self.maxDepth) others, which is too deep")
        }
        let folder = try place.source.opening { try OpenFolder(place, open()) }
        guard !self.folders.contains(where: { $0.status.identity == folder.status.identity }) else {
            throw FxferError(.noInput, "'\(place.source.text)' leads back to a folder above it")
        }
        self.folders.append(folder)
        do throws(Errno) {
            try folder.readNames()
            return nil
        } catch {
            // What could be read is sent nevertheless; this entry makes the whole a failure.
            let isFull = [EMFILE, ENFILE].contains(error.number)
            return .failed(place.source.unreadable(error, isFull ? .busy : .io))
        }
    }
}
