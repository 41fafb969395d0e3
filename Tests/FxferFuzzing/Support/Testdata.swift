import FxferProtocol
import Glibc

@testable import FxferStorage

/// The files beside the sources of the tests, from which seeds are taken.
enum Testdata {
    /// `testdata`, where this file is three folders further down than the project.
    static let path: String = {
        let components = #filePath.split(separator: "/").dropLast(4)
        return "/" + components.joined(separator: "/") + "/testdata"
    }()

    /// The names in a folder, sorted by their bytes; none where there is no folder.
    static func names(in folder: String) -> [String] {
        let names = try? OwnedDescriptor.open(CPath("\(self.path)/\(folder)"), O_RDONLY | O_DIRECTORY).names()
        return (names ?? []).map { String(decoding: $0.bytes, as: UTF8.self) }.filter { !$0.hasPrefix(".") }.sorted()
    }

    static func bytes(of file: String) throws -> [UInt8] {
        let file = try OwnedDescriptor.open(CPath("\(self.path)/\(file)"), O_RDONLY)
        return try file.bytes(Int(file.status().size), at: 0)
    }

    /// What the clients of `testdata/wire` send: all of a vector behind its first empty line.
    static let wireStreams: [[UInt8]] = Self.names(in: "wire").compactMap { name in
        guard name != "README.md", let bytes = try? Self.bytes(of: "wire/\(name)"),
            let header = bytes.firstRange(of: "\n\n".utf8)
        else { return nil }
        return Array(bytes[header.upperBound...])
    }
}
