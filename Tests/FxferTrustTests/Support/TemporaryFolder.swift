import Foundation
import FxferProtocol
import FxferStorage
import Glibc
import Testing

/// A folder of one test's own, removed with everything in it when the test lets go of it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/fxfer-trust-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno.last }
        self.path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    /// The path of `name` in the folder.
    func callAsFunction(_ name: String) -> String { "\(self.path)/\(name)" }

    /// The same as bytes.
    func bytes(_ name: String) -> [UInt8] { Array(self(name).utf8) }

    @discardableResult
    func write(_ content: [UInt8], to name: String, mode: mode_t = 0o600) throws -> [UInt8] {
        try Data(content).write(to: URL(filePath: self(name)))
        try once { chmod(self(name), mode) }
        return self.bytes(name)
    }

    @discardableResult
    func write(_ text: String, to name: String, mode: mode_t = 0o600) throws -> [UInt8] {
        try self.write(Array(text.utf8), to: name, mode: mode)
    }

    func content(of name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: self(name))))
    }

    func text(of name: String) throws -> String {
        String(decoding: try self.content(of: name), as: UTF8.self)
    }

    /// The permission bits of a file or folder, not of what a link leads to.
    func mode(of name: String) throws -> mode_t {
        var status = stat()
        try once { lstat(self(name), &status) }
        return status.st_mode & 0o7777
    }

    func names(in name: String = ".") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: self(name)).sorted()
    }
}

/// The error of `body`, which has to fail; its text is one line and holds none of `secrets`.
@discardableResult
func failure(
    secrets: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws(FxferError) -> Void
) -> FxferError? {
    do throws(FxferError) {
        try body()
        Issue.record("it succeeded", sourceLocation: sourceLocation)
        return nil
    } catch {
        var dumped = ""
        dump(error, to: &dumped)
        #expect(!error.message.contains("\n"), sourceLocation: sourceLocation)
        for secret in secrets {
            #expect(!dumped.contains(secret), "the error shows a secret", sourceLocation: sourceLocation)
        }
        return error
    }
}

/// All that printing can show of `value`.
func shown(_ value: some Any) -> String {
    var dumped = ""
    dump(value, to: &dumped)
    return "\(value) \(String(reflecting: value)) \([value]) \(dumped)"
}
