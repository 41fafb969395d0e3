import FoundationEssentials
import FxferProtocol
import Glibc

/// A folder of its own below the system's temporary directory (`TMPDIR`, else `/tmp`).
struct TemporaryFolder {
    private static let sampleSize = 256 << 20

    private let path: String

    init() throws {
        let parent = FileManager.default.temporaryDirectory.path()
        self.path = "\(parent.hasSuffix("/") ? String(parent.dropLast()) : parent)/fxfer-demo-\(UUID().uuidString)"
        do {
            try FileManager.default.createDirectory(
                atPath: self.path,
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw FxferError(.cannotCreate, "cannot create '\(EscapedText.escape(self.path))'", cause: error)
        }
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
