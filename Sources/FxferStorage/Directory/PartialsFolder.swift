import FxferProtocol
import Glibc

/// `DIR/.fxfer/partials`: where files are staged, on the same file system as their final names.
final class PartialsFolder: Sendable {
    let folder: OwnedDescriptor

    init(_ folder: consuming OwnedDescriptor) {
        self.folder = folder
    }

    /// A staged file's name: 128 random bits in hexadecimal and `.part`, whatever the file will be called.
    ///
    /// So a final name of 255 bytes needs no longer one here, and no two uploads meet.
    static func randomName() -> CPath {
        var random = SystemRandomNumberGenerator()
        let digits = (0..<32).map { _ in Self.digits[Int.random(in: 0..<16, using: &random)] }
        return CPath(digits + Self.suffix)
    }

    private static let digits = Array("0123456789abcdef".utf8)
    private static let suffix = Array(".part".utf8)

    /// Whether ``randomName()`` could have made this name. Others are left alone.
    static func isStaged(_ name: CPath) -> Bool {
        let bytes = name.bytes
        return bytes.count == 32 + Self.suffix.count && bytes.suffix(Self.suffix.count).elementsEqual(Self.suffix)
            && bytes.prefix(32).allSatisfy(Self.digits.contains)
    }

    /// Removes what a killed server left behind: every staged file that nobody has locked. Answers how many.
    ///
    /// A server makes a staged file first and locks it then, so a sweep may come between the two and take the lock. The
    /// file is gone then, and its maker knows: it finds the lock taken or the file without a name, and makes another
    /// (``PartialFile/create(in:)``). A staged file that is just published is safe, too: what the sweep removes is the
    /// name here, which is gone when the lock is free.
    func sweep() throws(Errno) -> Int {
        var removed = 0
        for name in try self.folder.names() where Self.isStaged(name) {
            do {
                let file = try self.folder.openBeneath(name, O_RDONLY | O_NONBLOCK)
                guard try file.status().kind == .regular, try file.tryLock(.exclusive) else { continue }
                try self.folder.remove(name)
                removed += 1
            } catch {
                // One that cannot be opened or removed is no reason not to serve.
                continue
            }
        }
        return removed
    }
}
