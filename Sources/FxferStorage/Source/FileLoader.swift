import FxferProtocol
import Glibc
import NIOCore

/// Reads small files whole, one after the other, with one buffer and one hash for all of them.
///
/// For each it calls pread(2) and fstat(2) once. Blocks: for threads of the ``DiskPool``.
struct FileLoader: ~Copyable {
    /// The largest file in bytes that is read; at least 0.
    let limit: Int
    /// One byte larger than the largest file, so that a byte beyond its end is seen in the same call.
    private let buffer: UnsafeMutableRawBufferPointer
    private var hash = SHA256()

    init(limit: Int) {
        self.limit = limit
        self.buffer = .allocate(byteCount: limit + 1, alignment: 4096)
    }

    deinit {
        self.buffer.deallocate()
    }

    /// Reads and hashes `source`, whose size is at most ``limit``, and closes it.
    ///
    /// It is unchanged in the sense of ``SourceFile/checkUnchanged()``, from its opening to the last read.
    ///
    /// - Throws: `.sourceChanged`, `.io`.
    mutating func load(_ source: consuming OpenedSource) throws(FxferError) -> LoadedFile {
        let (name, opened) = (source.name, source.status)
        let file = source.release()
        let size = Int(opened.size)
        do {
            guard try self.fill(size, from: file) == size, try file.status().stamp == opened.stamp else {
                throw name.changed()
            }
        } catch let error as Errno {
            throw name.unreadable(error, .io)
        } catch let error as FxferError {
            throw error
        } catch {
            throw FxferError(.internal, "cannot read '\(name.text)'", cause: error)
        }
        let content = UnsafeRawBufferPointer(rebasing: self.buffer.prefix(size))
        self.hash.update(content)
        return LoadedFile(
            attributes: opened.attributes,
            bytes: ByteBuffer(bytes: content),
            digest: self.hash.finish(),
            source: name
        )
    }

    /// Reads the first `size` bytes and the one beyond them, where there is one; answers how many there were.
    ///
    /// A read that ends at `size` is taken as the file's end, as fstat(2) confirms it afterwards.
    private func fill(_ size: Int, from file: borrowing OwnedDescriptor) throws(Errno) -> Int {
        let number = file.number
        var done = 0
        repeat {
            let rest = UnsafeMutableRawBufferPointer(rebasing: self.buffer[done...size])
            let count = try transferring(.pread, number, upTo: rest.count) {
                pread($0, rest.baseAddress, $1, off_t(done))
            }
            guard count > 0 else { break }
            done += count
        } while done < size
        return done
    }
}
