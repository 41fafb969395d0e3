import FxferProtocol
import Glibc
import NIOCore

/// Where the inner states of published files' hashes are kept, so that they can be verified on all processors and
/// damage in them be located: `DIR/.fxfer/states`.
///
/// One file for each content, whose name is the 64 hexadecimal digits of its SHA-256. They are written under another
/// name first, and not made durable: without one, or with a damaged one, a verification is slower and locates nothing,
/// but is as certain.
package final class StatesFolder: Sendable {
    private let folder: OwnedDescriptor

    package init(_ folder: consuming OwnedDescriptor) {
        self.folder = folder
    }

    /// Keeps the states of the content with that digest and size, in the place of others that were kept for it. Where
    /// that fails (a full disk), there are none.
    func save(_ states: HashStates, for digest: Digest, size: UInt64) {
        let scratch = PartialName.random(prefix: []).content
        do throws(Errno) {
            let file = try self.folder.openBeneath(scratch, O_CREAT | O_EXCL | O_WRONLY, mode: 0o600)
            let bytes = states.encoded(size: size)
            try bytes.withUnsafeReadableBytes { bytes throws(Errno) in try file.write(bytes, at: 0) }
            try self.folder.replace(Self.name(for: digest), with: scratch)
        } catch {
            try? self.folder.remove(scratch)
        }
    }

    /// What is kept for the content with that digest and size; nil where there is nothing that makes sense.
    package func load(for digest: Digest, size: UInt64) -> HashStates? {
        guard let bytes = try? self.read(Self.name(for: digest)) else { return nil }
        return HashStates(bytes, size: size)
    }

    private func read(_ name: CPath) throws(Errno) -> ByteBuffer {
        // Looks before it opens: opening alone has effects on FIFOs and devices.
        guard try self.folder.status(of: name)?.kind == .regular else { throw Errno(ENOENT) }
        let file = try self.folder.openBeneath(name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        let size = try file.status().size
        guard size <= UInt64(HashStates.maxByteCount) else { throw Errno(EFBIG) }
        var bytes = ByteBuffer()
        try file.read(Int(size), at: 0, into: &bytes)
        return bytes
    }

    /// The digests of the contents for which something is kept, in no order.
    package func digests() throws(Errno) -> [Digest] {
        var digests: [Digest] = []
        try self.folder.forEachEntry { name, _ in
            if let digest = Self.digest(of: name) { digests.append(digest) }
        }
        return digests
    }

    /// Removes what is kept for that content.
    package func remove(_ digest: Digest) {
        try? self.folder.remove(Self.name(for: digest))
    }

    /// Removes what savers that were killed left. One that is saving just now finds its file gone, and nothing is kept.
    func sweep() {
        var leftovers: [CPath] = []
        try? self.folder.forEachEntry { name, _ in
            // Most are 64 digits, and there may be many.
            guard name.count != 2 * Digest.byteCount else { return }
            let name = CPath(name)
            if let staged = PartialName(name, prefix: []), staged.journal == nil { leftovers.append(name) }
        }
        for name in leftovers { try? self.folder.remove(name) }
    }

    private static func name(for digest: Digest) -> CPath {
        CPath(digest.hex)
    }

    private static func digest(of name: UnsafeRawBufferPointer) -> Digest? {
        guard name.count == 2 * Digest.byteCount else { return nil }
        let digits = name.compactMap { digit -> UInt8? in
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
            default: nil
            }
        }
        guard digits.count == name.count else { return nil }
        return Digest(bytes: stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }
}
