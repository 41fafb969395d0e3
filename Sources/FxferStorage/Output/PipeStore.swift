import FxferProtocol
import Glibc
import NIOCore
import Synchronization

/// A store whose files follow each other on standard output or another pipe: each part is written as soon as it is
/// verified, and what is written stays written.
///
/// So there is no staging: a file that fails may have a beginning there, of which every byte is right. Where its
/// connection broke it can be gone on with.
package final class PipeStore: Store {
    private let pipe: Pipe
    private let pool: DiskPool
    /// The file that was begun and did not come to its end.
    private let unfinished = Mutex<PipeFile?>(nil)

    /// - Parameter descriptor: where bytes are written; it stays open.
    package init(descriptor: CInt, name: String, pool: DiskPool = .shared) {
        self.pipe = Pipe(number: descriptor, name: name)
        self.pool = pool
    }

    /// The standard output of this process.
    package static func standardOutput() -> PipeStore {
        PipeStore(descriptor: STDOUT_FILENO, name: "standard output")
    }

    package func stageInMemory(_ path: RelativePath, _ attributes: FileAttributes, _: Durability) -> PipeFile? { nil }

    package func stage(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ comparison: Comparison,
        _: Durability,
        reading: @Sendable (UInt64) -> Void
    ) async throws -> Staging<PipeFile> {
        let begun = self.unfinished.withLock { $0 }
        if let begun, begun.path == path, !begun.isPublished {
            let isPrefix = begun.position > 0 && begun.position <= attributes.size ?? .max && !begun.hasFailed
            if isPrefix, comparison != .afterwards { return .partial(begun) }
            // What is written stays written: nothing else may ever follow it as if it were the same file.
            guard !begun.isBegun else { throw begun.cannotGoOn }
        }
        let file = PipeFile(path, self.pipe, self.pool)
        self.unfinished.withLock { $0 = file }
        return .fresh(file)
    }
}

/// Where the bytes of a ``PipeStore`` go.
struct Pipe: Sendable {
    let number: CInt
    let name: String

    /// write(2) of all `bytes`; waits for a reader that pauses.
    func write(_ bytes: ByteBuffer) throws(FxferError) {
        var rest = bytes
        while rest.readableBytes > 0 {
            let count = rest.withUnsafeReadableBytes { Glibc.write(self.number, $0.baseAddress, $0.count) }
            if count > 0 {
                rest.moveReaderIndex(forwardBy: count)
                continue
            }
            let error = Errno.last
            switch error.number {
            case EINTR: continue
            case EAGAIN: self.waitUntilWritable()
            default: throw FxferError(.io, "cannot write to \(self.name): \(error)", cause: error)
            }
        }
    }

    /// For a pipe that another process has made non-blocking.
    private func waitUntilWritable() {
        var request = pollfd(fd: self.number, events: Int16(POLLOUT), revents: 0)
        poll(&request, 1, -1)
    }
}
