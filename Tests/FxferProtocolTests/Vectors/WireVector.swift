import Foundation
import FxferProtocol

/// A file of `testdata/wire`: a client's stream, and what a server must make of it. The format is described beside
/// the files, in `README.md`.
struct WireVector {
    enum Expectation: Hashable {
        case ok
        case refuse(WireCode)
        case error(WireCode)
        case incomplete
    }

    /// Why a file is no vector.
    struct Malformed: Error {
        let reason: String
    }

    let name: String
    private(set) var expectation = Expectation.ok
    private(set) var published: [[UInt8]: FilePrefix] = [:]
    private(set) var folders: Set<[UInt8]> = []
    /// What is there at the end and has got no RECEIPT.
    private(set) var kept: [[UInt8]: FilePrefix] = [:]
    /// The vector that is played first.
    private(set) var before: String?
    /// Offsets of bytes that are inverted then, by path.
    private(set) var decay: [[UInt8]: [Int]] = [:]
    private(set) var chunkSize: UInt32?
    private(set) var filesInFlight: UInt16 = 64
    private(set) var stream: [UInt8] = []

    static let folder = URL(filePath: #filePath).appending(path: "../../../../testdata/wire").standardized

    /// The names of all vectors.
    static let names: [String] = {
        let files = try? FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        return (files ?? []).filter { !$0.hasPrefix(".") && $0 != "README.md" }.sorted()
    }()

    init(name: String) throws {
        try self.init(name: name, Array(Data(contentsOf: Self.folder.appending(path: name))))
    }

    init(name: String, _ bytes: [UInt8]) throws {
        self.name = name
        var rest = bytes[...]
        var keys: Set<String> = []
        while true {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { throw Malformed(reason: "no empty line") }
            let line = String(decoding: rest[..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
            if line.isEmpty { break }
            guard let colon = line.firstRange(of: ": ") else { throw Malformed(reason: "no key: \(line)") }
            let key = String(line[..<colon.lowerBound])
            guard keys.insert(key).inserted || Self.repeatable.contains(key) else {
                throw Malformed(reason: "two \(key)")
            }
            try self.read(key, String(line[colon.upperBound...]))
        }
        guard keys.isSuperset(of: ["comment", "expect"]) else { throw Malformed(reason: "a key is missing") }
        self.stream = Array(rest)
    }

    private static let repeatable = ["published", "folder", "kept", "decay"]

    private mutating func read(_ key: String, _ value: String) throws {
        let words = value.split(separator: " ").map(String.init)
        switch key {
        case "comment" where !value.isEmpty:
            break
        case "expect":
            self.expectation = try Self.expectation(words)
        case "published":
            let (path, content) = try Self.file(words)
            self.published[path] = content
        case "kept":
            let (path, content) = try Self.file(words)
            self.kept[path] = content
        case "before" where words.count == 1:
            self.before = words[0]
        case "decay":
            guard words.count == 2, let offset = Int(words[0]), let path = EscapedTextTests.unescape(words[1]) else {
                throw Malformed(reason: "decay: \(value)")
            }
            self.decay[path, default: []].append(offset)
        case "folder":
            guard words.count == 1, let path = EscapedTextTests.unescape(words[0]) else {
                throw Malformed(reason: "folder: \(value)")
            }
            self.folders.insert(path)
        case "chunk":
            self.chunkSize = try Self.number(value)
        case "files-at-once":
            self.filesInFlight = try Self.number(value)
        default:
            throw Malformed(reason: "\(key): \(value)")
        }
    }

    private static func file(_ words: [String]) throws -> (path: [UInt8], content: FilePrefix) {
        guard words.count == 3, let size = UInt64(words[1]), let digest = Digest(bytes: hex(words[0])),
            let path = EscapedTextTests.unescape(words[2])
        else { throw Malformed(reason: "no file: \(words)") }
        return (path, FilePrefix(length: size, digest: digest))
    }

    private static func expectation(_ words: [String]) throws -> Expectation {
        switch (words.first, words.count) {
        case ("ok", 1): .ok
        case ("incomplete", 1): .incomplete
        case ("refuse", 2): .refuse(WireCode(rawValue: try Self.number(words[1])))
        case ("error", 2): .error(WireCode(rawValue: try Self.number(words[1])))
        default: throw Malformed(reason: "expect: \(words)")
        }
    }

    private static func number<Number: FixedWidthInteger>(_ text: String) throws -> Number {
        guard let number = Number(text) else { throw Malformed(reason: "no number: \(text)") }
        return number
    }
}
