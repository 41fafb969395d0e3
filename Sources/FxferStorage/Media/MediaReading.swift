import CLinux
import FxferProtocol
import Glibc

/// Reads a file again that is durable under its name, from the device itself, and compares it with what was written: the
/// level ``FxferProtocol/Durability/media``.
///
/// The device is what this machine takes for one: a disk's own cache, or that of whoever provides a virtual disk, may
/// answer for it.
struct MediaReading {
    let path: RelativePath
    let size: UInt64
    let digest: Digest
    let access: MediaAccess

    /// - Parameters:
    ///   - folder: the file's folder.
    ///   - identity: which file it has to be that has the name.
    /// - Throws: `.damaged` where the device has other bytes, `.io` where they cannot be read, or the name stands for
    ///   another file.
    func compare(in folder: borrowing OwnedDescriptor, _ identity: FileStatus.Identity) throws(FxferError) {
        let read = try receiving("read again", self.path) {
            let file = try self.open(in: folder, identity)
            return try self.hash(file)
        }
        guard read == self.digest else {
            throw FxferError(
                .damaged,
                "the disk does not give back what was written to it of '\(self.path)'; check the disk"
            )
        }
    }

    private func open(
        in folder: borrowing OwnedDescriptor,
        _ identity: FileStatus.Identity
    ) throws -> OwnedDescriptor {
        let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | (self.access == .direct ? clinux_o_direct : 0)
        let file = try folder.openBeneath(CPath(self.path.lastComponent), flags)
        guard try file.status().identity == identity else {
            throw FxferError(.io, "'\(self.path)' was replaced while it was read again; send it again")
        }
        // With O_DIRECT, too: a file system may serve that from the cache where a file of its kind needs it.
        let isDropped = try file.drop(self.size)
        guard isDropped || self.access == .direct else {
            throw FxferError(
                .io,
                "cannot read '\(self.path)' again from the disk: another program keeps it in memory; try again later"
            )
        }
        return file
    }

    /// SHA-256 of the first ``size`` bytes, or of all where there are fewer.
    private func hash(_ file: borrowing OwnedDescriptor) throws(Errno) -> Digest {
        let buffer = AlignedBuffer()
        var hash = SHA256()
        var offset: UInt64 = 0
        while offset < self.size {
            let wanted = Int(min(self.size - offset, UInt64(AlignedBuffer.size)))
            let count = try file.read(into: buffer, wanted, at: offset)
            hash.update(UnsafeRawBufferPointer(rebasing: buffer.bytes.prefix(count)))
            offset += UInt64(count)
            guard count == wanted else { break }
        }
        return hash.finish()
    }
}
