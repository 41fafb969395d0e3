import CLinux
import FxferProtocol
import Glibc

/// A source file that was just opened: its descriptor, and its status when it was.
///
/// Opening waits, for a moment, until changes show; see ``SourceFile/settledStatus(of:)``.
struct OpenedSource: ~Copyable {
    let name: SourceName
    let file: OwnedDescriptor
    let status: FileStatus

    /// Takes over `file` if it is a regular one.
    private init(_ name: SourceName, _ file: consuming OwnedDescriptor) throws {
        let status = try SourceFile.settledStatus(of: file)
        guard status.kind == .regular else { throw name.notRegular(status.kind) }
        self.name = name
        self.file = file
        self.status = status
    }

    /// Opens the file that the user named; symbolic links are followed, as by scp.
    ///
    /// - Throws: `.noInput` where there is nothing of that name, it is no regular file, or it cannot be read; `.busy`
    ///   where descriptors have run out.
    init(_ name: SourceName) throws(FxferError) {
        // Looks before it opens: opening alone wakes a FIFO's writer, rewinds a tape, arms a watchdog.
        let kind = try name.look().kind
        guard kind == .regular else { throw name.notRegular(kind) }
        self = try name.opening {
            try OpenedSource(name, .open(CPath(name.bytes), Self.flags))
        }
    }

    /// Opens the entry `entry` of `folder`, which was looked at already; a symbolic link only where `followsLink`.
    ///
    /// - Throws: as ``init(_:)``.
    init(
        _ name: SourceName,
        _ entry: CPath,
        in folder: borrowing OwnedDescriptor,
        followsLink: Bool
    ) throws(FxferError) {
        self = try name.opening {
            try OpenedSource(name, folder.openSource(entry, Self.flags, followsLink: followsLink))
        }
    }

    /// Gives the descriptor to another owner.
    consuming func release() -> OwnedDescriptor { self.file }

    // O_NONBLOCK: should it be a FIFO by now, opening must not wait for a writer. No effect on regular files.
    private static let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY
}

extension OwnedDescriptor {
    /// Opens an entry of this folder of a source, a symbolic link only where `followsLink`.
    func openSource(_ entry: CPath, _ flags: CInt, followsLink: Bool) throws(Errno) -> OwnedDescriptor {
        followsLink ? try .open(entry, flags, in: self) : try self.openBeneath(entry, flags)
    }
}
