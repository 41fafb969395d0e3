import FxferProtocol

@testable import FxferStorage

/// A ledger in a folder of the test's own.
struct LedgerUnderTest {
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    func files() throws -> LedgerFolder {
        LedgerFolder(try self.folder.open(), of: Array("out".utf8))
    }

    func open() throws -> Ledger { try Ledger(self.files()) }

    /// The same for those who do not wait while others have the ledger locked.
    func impatientFiles() throws -> LedgerFolder {
        LedgerFolder(try self.folder.open(), of: Array("out".utf8), patience: .zero)
    }

    static func entry(_ name: String, size: UInt64 = 1) throws -> LedgerEntry {
        LedgerEntry(
            path: try path(name),
            size: size,
            digest: sha256(Array(name.utf8)),
            modified: FileTime(seconds: 1_700_000_000, nanoseconds: 1),
            time: FileTime(seconds: 1_800_000_000, nanoseconds: 2),
            origin: Origin(address: "192.0.2.7", token: name.count > 1 ? "lab" : nil),
            durability: .durable
        )
    }

    /// All findings of a reader.
    func findings() throws -> [LedgerReader.Finding] {
        var reader = try LedgerReader(self.files())
        var findings: [LedgerReader.Finding] = []
        while let finding = try reader.next() { findings.append(finding) }
        return findings
    }

    /// The paths of the entries, where nothing is damaged.
    func paths() throws -> [String] {
        try self.findings().map {
            switch $0 {
            case .entry(let line): line.entry.path.description
            case .damage(let damage): "line \(damage.line)"
            }
        }
    }

    /// The lines that are named as damaged.
    func damagedLines() throws -> [Int] {
        try self.findings().compactMap {
            guard case .damage(let damage) = $0 else { return nil }
            return damage.line
        }
    }

    /// The bytes of the ledger's lines, each with its line feed.
    func lines() throws -> [ArraySlice<UInt8>] {
        try self.folder.bytes(of: Self.name).split(separator: UInt8(ascii: "\n")).map { $0 + [UInt8(ascii: "\n")] }
    }

    func write(_ lines: [ArraySlice<UInt8>]) throws {
        try self.folder.write(lines.flatMap { $0 }, to: Self.name)
    }

    static let name = "ledger.jsonl"
    static let head = "ledger.head"
}
