import FoundationEssentials
import FxferProtocol
import Glibc

/// A folder of its own below the system's temporary directory (`TMPDIR`, else `/tmp`).
struct TemporaryFolder {
    private static let sampleSize = 256 << 20

    private let path: String

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/fxfer-demo-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            let reason = String(cString: strerror(errno))
            throw FxferError(
                .cannotCreate,
                "cannot create a folder in '\(EscapedText.escape(parent))': \(reason); set TMPDIR"
            )
        }
        self.path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The path of a file or folder in it.
    func path(of name: String) -> String { "\(self.path)/\(name)" }

    /// Makes a file of 256 MiB that no compression shortens; answers its path.
    func makeSample() throws -> [UInt8] {
        let path = self.path(of: "sample.bin")
        var generator = SystemRandomNumberGenerator()
        var block = [UInt8](repeating: 0, count: 1 << 20)
        block.withUnsafeMutableBytes { bytes in
            for offset in stride(from: 0, to: bytes.count, by: 8) {
                bytes.storeBytes(of: generator.next(), toByteOffset: offset, as: UInt64.self)
            }
        }
        guard let file = fopen(path, "wx") else {
            throw FxferError(.io, "cannot create '\(EscapedText.escape(path))'")
        }
        var isWritten = true
        for index in 0..<(Self.sampleSize / block.count) {
            block.withUnsafeMutableBytes { $0.storeBytes(of: UInt64(index), as: UInt64.self) }
            isWritten = isWritten && fwrite(block, 1, block.count, file) == block.count
        }
        guard fclose(file) == 0, isWritten else {
            throw FxferError(.noSpace, "cannot write 256 MiB to '\(EscapedText.escape(path))'; set TMPDIR")
        }
        return Array(path.utf8)
    }

    /// Removes the folder and all in it.
    func remove() {
        try? FileManager.default.removeItem(atPath: self.path)
    }
}
