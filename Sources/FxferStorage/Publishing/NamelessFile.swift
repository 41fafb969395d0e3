import CLinux
import FxferProtocol
import Glibc

/// A staged file that has no name before it is published (O_TMPFILE): where its owner dies, nothing is left to sweep.
///
/// For small files it spares making, moving and sweeping a name in `.fxfer/partials`: 10,000 files of 4 KiB on ext4, 16
/// threads, groups of 32, one fsync each: 8,500 a second with names there, 10,500 without them by `/proc`, 12,500 by
/// descriptor.
struct NamelessFile: ~Copyable, Sendable {
    let file: OwnedDescriptor
    private let linking: Linking

    /// How a file without a name is given one.
    enum Linking: Sendable {
        /// linkat(2) with AT_EMPTY_PATH.
        case byDescriptor
        /// linkat(2) of `/proc/self/fd/N`, for processes that may not do the former.
        case byProc
    }

    private init(_ file: consuming OwnedDescriptor, _ linking: Linking) {
        self.file = file
        self.linking = linking
    }

    /// Makes and locks an empty file that only this user can read.
    ///
    /// - Throws: also EBUSY, where another process found the file under `/proc` and locked it.
    static func create(in partials: PartialsFolder, _ linking: Linking) throws(Errno) -> NamelessFile {
        let flags = clinux_o_tmpfile | O_RDWR
        let file = NamelessFile(try partials.folder.openBeneath(.itself, flags, mode: 0o600), linking)
        // From its first moment under a name it is locked: who wants to confirm it waits (``PublishedFile``).
        guard try file.file.tryLock(.exclusive) else { throw Errno(EBUSY) }
        return file
    }

    /// Gives the file its name in one step: EEXIST where that is taken by anything.
    func link(to folder: borrowing OwnedDescriptor, as name: CPath) throws(Errno) {
        let target = folder.number
        switch self.linking {
        case .byDescriptor:
            try once(.linkat, target) { clinux_link_descriptor(self.file.number, $0, name.characters) }
        case .byProc:
            let source = CPath("/proc/self/fd/\(self.file.number)")
            try once(.linkat, target) { linkat(AT_FDCWD, source.characters, $0, name.characters, AT_SYMLINK_FOLLOW) }
        }
    }

    /// fstat(2).
    func status() throws(Errno) -> FileStatus {
        try self.file.status()
    }

    /// Adds all `bytes` to the empty file.
    func write(_ bytes: [UInt8]) throws(Errno) {
        try self.file.write(bytes)
    }

    /// Finds out by trying how files without a name are published on the file system of `partials`; nil where they
    /// cannot be.
    static func linking(in partials: PartialsFolder) -> Linking? {
        for linking in [Linking.byDescriptor, .byProc] {
            let name = PartialName.random(prefix: partials.prefix).content
            do {
                try NamelessFile.create(in: partials, linking).link(to: partials.folder, as: name)
                try partials.folder.remove(name)
                return linking
            } catch {
                continue
            }
        }
        return nil
    }
}
