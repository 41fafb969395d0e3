import FxferProtocol
import Glibc
import NIOCore
import Synchronization

/// A file that a user of this machine asked for by its path: written beside that name, out of the way, and put there
/// in one step when it is complete. An old file stays as it is until then.
///
/// Calls are made one after the other. A file that is not published is removed when the last reference to it is gone.
package final class OutputFile: Sendable {
    private let content: Mutex<OutputContent?>
    private let name: OutputName
    private let pool: DiskPool

    private init(_ content: consuming OutputContent, _ name: OutputName, _ pool: DiskPool) {
        self.content = Mutex(consume content)
        self.name = name
        self.pool = pool
    }

    /// Makes an empty file in the folder of `path`; symbolic links to that folder are followed.
    ///
    /// - Throws: `.cannotCreate` where there is no such folder, it cannot be written, or something else than a regular
    ///   file has the name (a device, a link, a folder: none of these is replaced); `.noSpace`, `.io`;
    ///   `CancellationError`.
    package static func create(path: [UInt8], pool: DiskPool = .shared) async throws -> OutputFile {
        try await pool.run {
            let name = try OutputName(path)
            return OutputFile(try name.doing { () throws(Errno) in try OutputContent.create(for: name) }, name, pool)
        }
    }

    /// Adds bytes at the end and hashes them.
    ///
    /// - Throws: `.noSpace`, `.tooLarge`, `.io`; `CancellationError`.
    package func append(_ bytes: ByteBuffer) async throws {
        try await self.pool.run {
            try self.content.withLock { content throws(FxferError) in
                // Taken out: one that could not be written whole is given up.
                guard var taken = content.take() else { throw self.name.isGone }
                try self.name.doing { () throws(Errno) in try taken.append(bytes) }
                content = consume taken
            }
        }
    }

    /// Makes the file durable and gives it its name, in place of an old file; answers size and SHA-256.
    ///
    /// - Throws: `.noSpace`, `.cannotCreate`, `.io`; `CancellationError`. The old file is as it was, then.
    package func publish() async throws -> FilePrefix {
        try await self.pool.run {
            try self.content.withLock { content throws(FxferError) in
                guard var taken = content.take() else { throw self.name.isGone }
                return try self.name.doing { () throws(Errno) in try taken.publish(as: self.name) }
            }
        }
    }

    /// Removes what was written, unless it was published.
    package func discard() async {
        await self.pool.runInAnyCase {
            self.content.withLock { $0 = nil }
        }
    }
}

/// What was written so far: an open file under a hidden name, which is removed with the value.
private struct OutputContent: ~Copyable, Sendable {
    private let folder: OwnedDescriptor
    private let file: OwnedDescriptor
    private let hiddenName: CPath
    /// Whether there is something under the hidden name.
    private var isHidden = true
    private var length: UInt64 = 0
    private var hash = SHA256()

    private init(
        _ folder: consuming OwnedDescriptor,
        _ file: consuming OwnedDescriptor,
        _ hiddenName: CPath
    ) {
        self.folder = folder
        self.file = file
        self.hiddenName = hiddenName
    }

    /// Makes an empty file in the folder of `name`.
    static func create(for name: OutputName) throws(Errno) -> OutputContent {
        let folder = try OwnedDescriptor.open(name.folder, O_RDONLY | O_DIRECTORY)
        let hiddenName = CPath(Array(".fxfer-".utf8) + PartialName.randomDigits() + Array(".new".utf8))
        let file = try folder.openBeneath(hiddenName, O_CREAT | O_EXCL | O_WRONLY, mode: 0o600)
        return OutputContent(folder, file, hiddenName)
    }

    deinit {
        if self.isHidden { try? self.folder.remove(self.hiddenName) }
    }

    mutating func append(_ bytes: ByteBuffer) throws(Errno) {
        var failure: Errno?
        bytes.withUnsafeReadableBytes { bytes in
            do throws(Errno) {
                try self.file.write(bytes, at: self.length)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        self.hash.update(bytes)
        self.length += UInt64(bytes.readableBytes)
    }

    mutating func publish(as name: OutputName) throws(Errno) -> FilePrefix {
        try self.file.setPermissions(name.permissions)
        let file = try self.file.status().identity
        try self.file.sync()
        let replacement = try self.take(name.last)
        do throws(Errno) {
            try self.folder.sync()
        } catch {
            if let replacement {
                self.folder.withdraw(replacement, name.last, with: self.hiddenName, of: file, in: self.folder)
            } else {
                self.folder.withdraw(name.last, of: file)
            }
            throw error
        }
        return FilePrefix(length: self.length, digest: self.hash.digest())
    }

    /// Gives the file the name `name`. Nil where nothing had it; an old file has the hidden name otherwise, where the file
    /// system can exchange names.
    private mutating func take(_ name: CPath) throws(Errno) -> Replacement? {
        for _ in 0..<Self.attempts {
            do throws(Errno) {
                if try self.folder.status(of: name) == nil {
                    try self.folder.move(self.hiddenName, to: self.folder, as: name)
                    self.isHidden = false
                    return nil
                }
                let replacement = try self.folder.replace(name, in: self.folder, with: self.hiddenName)
                self.isHidden = replacement == .exchanged
                return replacement
            } catch {
                // It came or went just now.
                guard [EEXIST, ENOENT].contains(error.number) else { throw error }
            }
        }
        throw Errno(EEXIST)
    }

    /// How often the name may come and go under us before we give up.
    private static let attempts = 16
}
