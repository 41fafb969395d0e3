import FxferProtocol
import Glibc

/// A small file that is read whole.
enum SmallFile {
    /// - Throws: `.noInput` where it cannot be read, or has more than `limit` bytes.
    static func read(_ path: [UInt8], limit: Int) throws(FxferError) -> [UInt8] {
        let name = EscapedText.escape(path)
        let descriptor = (path.map(CChar.init(bitPattern:)) + [0]).withUnsafeBufferPointer { path in
            path.baseAddress.map { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) } ?? -1
        }
        guard descriptor != -1 else {
            throw FxferError(.noInput, "cannot read '\(name)': \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let result = bytes.withUnsafeMutableBytes { buffer in
                buffer.baseAddress.map { Glibc.read(descriptor, $0 + count, buffer.count - count) } ?? -1
            }
            if result == -1, errno == EINTR { continue }
            guard result != -1 else {
                throw FxferError(.noInput, "cannot read '\(name)': \(String(cString: strerror(errno)))")
            }
            if result == 0 { break }
            count += result
        }
        guard count <= limit else { throw FxferError(.noInput, "'\(name)' has more than \(limit) bytes") }
        return Array(bytes.prefix(count))
    }
}
