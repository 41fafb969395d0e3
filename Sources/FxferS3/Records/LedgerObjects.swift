import FxferProtocol
import FxferStorage
import NIOCore
import Synchronization

/// The ledger of a bucket: an object for each file that was stored, with the line that a ledger in a directory would have.
///
/// No object is ever written twice, and none by two nodes: its key has the time, the node's run and a number.
final class LedgerObjects: Sendable {
    /// A line that is to be written.
    struct Line: Sendable {
        /// The last component of its key.
        let name: String
        let bytes: [UInt8]
        let hash: Digest
    }

    /// The longest line in bytes, as in a directory's ledger.
    private static let maxLine = 64 << 10

    private let client: S3Client
    private let names: ObjectNames
    private let run = RandomID.make()
    private let lastNumber = Atomic<UInt64>(0)

    init(_ client: S3Client, _ names: ObjectNames) {
        self.client = client
        self.names = names
    }

    /// The line of an entry. Each stands for itself: of objects that many nodes write none is the one before.
    func line(_ entry: LedgerEntry) -> Line {
        var bytes: [UInt8] = []
        let hash = LedgerLine.write(entry, after: .zero, to: &bytes)
        let number = self.lastNumber.add(1, ordering: .relaxed).newValue
        return Line(name: "\(entry.time.rfc3339)-\(self.run)-\(number)", bytes: bytes, hash: hash)
    }

    func write(_ line: Line) async throws {
        try await self.client.put(self.names.ledger + Array(line.name.utf8), ByteBuffer(bytes: line.bytes))
    }

    /// Whether there is a line of that name.
    func has(_ name: String) async throws -> Bool {
        guard Self.isName(name) else { return false }
        return try await self.client.head(self.names.ledger + Array(name.utf8)) != nil
    }

    private static func isName(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count) && name.utf8.allSatisfy { (0x21..<0x7F).contains($0) && $0 != 0x2F }
    }

    /// Reads all of it, in the order of the keys.
    ///
    /// - Throws: ``S3Error``; `CancellationError`.
    func read() async throws -> LedgerBook {
        var book = LedgerBook()
        try await self.client.forEachPage(self.names.ledger) { page in
            for start in stride(from: 0, to: page.objects.count, by: 32) {
                let objects = page.objects[start..<min(start + 32, page.objects.count)]
                let lines = try await withThrowingTaskGroup(of: (Int, LedgerLine?).self) { group in
                    for (index, object) in zip(objects.indices, objects) {
                        group.addTask { (index, try await self.read(object)) }
                    }
                    return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
                }
                for index in objects.indices {
                    book.add(lines[index], EscapedText.escape(objects[index].key.dropFirst(self.names.ledger.count)))
                }
            }
        }
        return book
    }

    /// Nil where it is not as it was written.
    private func read(_ object: ListedObject) async throws -> LedgerLine? {
        guard object.size <= Self.maxLine, let answer = try await self.client.get(object.key, limit: Self.maxLine)
        else { return nil }
        let bytes = Array(answer.body.readableBytesView)
        guard bytes.last == UInt8(ascii: "\n") else { return nil }
        return LedgerLine(bytes.dropLast())
    }
}

/// What a ledger in a bucket says.
struct LedgerBook: Sendable {
    /// The entries of each path, the last one first; of several with the same content that one alone.
    private(set) var entries: [RelativePath: [LedgerEntry]] = [:]
    /// Lines that are not as they were written.
    private(set) var damages: [String] = []

    fileprivate mutating func add(_ line: LedgerLine?, _ name: String) {
        guard let entry = line?.entry else {
            self.damages.append("\(name): it is not as it was written")
            return
        }
        var entries = self.entries[entry.path] ?? []
        entries.removeAll { $0.digest == entry.digest }
        entries.insert(entry, at: 0)
        self.entries[entry.path] = entries
    }
}
