import CLinux
import FxferProtocol
import Glibc

/// How a file is read from the device itself, and not from what the system keeps of it in memory.
enum MediaAccess: Hashable, Sendable {
    /// By O_DIRECT of open(2), past the page cache.
    case direct
    /// As usual, once mincore(2) tells that the page cache has nothing of it any more.
    case dropping
}

extension MediaAccess {
    /// Finds out by trying how files beside `partials` are read from the device; nil where they cannot be, as they are in
    /// memory only (tmpfs, also below overlayfs), on another machine, or cached where nobody can look (ZFS).
    ///
    /// That O_DIRECT is not refused says little: tmpfs takes it, and some file systems take it and read from the cache.
    static func probe(in partials: PartialsFolder) throws(Errno) -> MediaAccess? {
        guard try partials.folder.isOnLocalDisk() else { return nil }
        let name = PartialName.random(prefix: partials.prefix).content
        let file = try partials.folder.openBeneath(name, O_CREAT | O_EXCL | O_RDWR, mode: 0o600)
        defer { try? partials.folder.remove(name) }
        // Else a server that starts takes it for a leftover.
        guard try file.tryLock(.exclusive) else { throw Errno(EBUSY) }
        try file.write([UInt8](repeating: 0x5A, count: Self.probeSize))
        let pages = try file.residentPages(of: UInt64(Self.probeSize))
        guard pages == Self.probeSize / Int(getpagesize()) else { return nil }
        try file.sync()
        guard try file.drop(UInt64(Self.probeSize)) else { return nil }
        do throws(Errno) {
            let direct = try partials.folder.openBeneath(name, O_RDONLY | clinux_o_direct)
            let buffer = AlignedBuffer()
            guard try direct.read(into: buffer, Self.probeSize, at: 0) == Self.probeSize else { return .dropping }
            // Where that has filled the cache, it has gone through the cache.
            return try file.residentPages(of: UInt64(Self.probeSize)) == 0 ? .direct : .dropping
        } catch {
            guard [EINVAL, EOPNOTSUPP].contains(error.number) else { throw error }
            return .dropping
        }
    }

    /// 64 KiB: more than a file system keeps beside a file's attributes, a multiple of every page size.
    private static let probeSize = 64 << 10
}

extension OwnedDescriptor {
    /// Whether this is on a file system that is known to keep its files on a block device of this machine, or on overlayfs,
    /// which passes everything on.
    fileprivate func isOnLocalDisk() throws(Errno) -> Bool {
        var type: UInt64 = 0
        try once(.fstatfs, self.number) { clinux_file_system_type($0, &type) }
        return Self.localDisks.contains(type)
    }

    /// The f_type of fstatfs(2), from linux/magic.h and the file systems' own sources: ext2 to ext4, XFS, Btrfs, F2FS,
    /// bcachefs, overlayfs.
    private static var localDisks: Set<UInt64> {
        [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0xCA45_1A4E, 0x794C_7630]
    }

    /// Drops the first `size` bytes of this file, which are durable, from the page cache; false where some stay, as
    /// another program has them mapped or the file system has no other place for them.
    func drop(_ size: UInt64) throws(Errno) -> Bool {
        for _ in 0..<3 {
            posix_fadvise(self.number, 0, 0, POSIX_FADV_DONTNEED)
            if try self.residentPages(of: size) == 0 { return true }
        }
        return false
    }

    /// How many pages of the first `size` bytes are in the page cache, by mincore(2). All, for a file that this process
    /// neither owns nor may write.
    func residentPages(of size: UInt64) throws(Errno) -> Int {
        var count = 0
        var offset: UInt64 = 0
        while offset < size {
            let window = Int(min(size - offset, Self.window))
            count += try self.residentPages(window, at: offset)
            offset += UInt64(window)
        }
        return count
    }

    /// What is mapped at once: 64 MiB.
    private static var window: UInt64 { 64 << 20 }

    private func residentPages(_ count: Int, at offset: UInt64) throws(Errno) -> Int {
        // Nothing of it is touched: a file that is cut meanwhile does no harm.
        let mapped = mmap(nil, count, PROT_READ, MAP_SHARED, self.number, off_t(offset))
        guard let mapped, mapped != MAP_FAILED else { throw Errno.last }
        defer { munmap(mapped, count) }
        let pageSize = Int(getpagesize())
        var pages = [UInt8](repeating: 0, count: (count + pageSize - 1) / pageSize)
        let result = mincore(mapped, count, &pages)
        guard result != -1 else { throw Errno.last }
        return pages.count { $0 & 1 != 0 }
    }
}
