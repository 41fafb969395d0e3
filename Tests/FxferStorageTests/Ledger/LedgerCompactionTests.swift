import FxferProtocol
import Testing

@testable import FxferStorage

@Suite("A compacted ledger")
struct LedgerCompactionTests {
    /// Entries of a, b and c, of which a was replaced twice; and the hashes of its lines.
    static func ledger() throws -> (LedgerUnderTest, Ledger, [Digest]) {
        let subject = try LedgerUnderTest()
        let ledger = try subject.open()
        let entries = try ["a", "b", "a", "c", "a"].map { try LedgerUnderTest.entry($0) }
        return (subject, ledger, try ledger.append(entries))
    }

    static func compact(_ subject: LedgerUnderTest, keeping isKept: @escaping (RelativePath) -> Bool = { _ in true })
        throws
        -> [Int]
    {
        let (before, after) = try LedgerCompaction(subject.files(), keeping: isKept).run()
        return [before, after]
    }

    @Test("has the last entry of each path, under the same hash, and goes on")
    func compacted() throws {
        let (subject, ledger, hashes) = try Self.ledger()
        #expect(try Self.compact(subject) == [5, 3])
        #expect(try subject.paths() == ["b", "c", "a"])
        #expect(try ledger.latest(for: path("a"))?.hash == hashes[4])
        let next = try ledger.append([LedgerUnderTest.entry("d")])
        let last = try #require(LedgerLine(try subject.lines()[4].dropLast()))
        #expect(last.previous == hashes[4])
        #expect(last.hash == next.first)
        #expect(try subject.paths() == ["b", "c", "a", "d"])
        _ = try subject.open().append([LedgerUnderTest.entry("b")])
        #expect(try Self.compact(subject) == [5, 4])
        #expect(try subject.paths() == ["c", "a", "d", "b"])
        #expect(try subject.folder.names() == [LedgerUnderTest.head, LedgerUnderTest.name])
        let first = try #require(CompactionLine(try subject.lines()[0].dropLast()))
        #expect(first.dropped == 3)
    }

    @Test("leaves out what is not to be kept, also the last line, or all")
    func chosen() throws {
        let (subject, _, _) = try Self.ledger()
        #expect(try Self.compact(subject) { $0.description == "b" } == [5, 1])
        #expect(try subject.paths() == ["b"])
        #expect(try subject.damagedLines() == [])
        #expect(try Self.compact(subject) { _ in false } == [1, 0])
        #expect(try subject.damagedLines() == [])
        #expect(try subject.lines().count == 1)
        let first = try #require(CompactionLine(try subject.lines()[0].dropLast()))
        #expect(first.dropped == 5)
        _ = try subject.open().append([LedgerUnderTest.entry("d")])
        #expect(try subject.damagedLines() == [])
        let line = try #require(LedgerLine(try subject.lines()[1].dropLast()))
        #expect(line.previous == first.hash)
    }

    @Test("shows every changed byte, and lines that were removed or moved")
    func edited() throws {
        let (subject, ledger, _) = try Self.ledger()
        _ = try Self.compact(subject)
        _ = try ledger.append([LedgerUnderTest.entry("d")])
        let bytes = try subject.folder.bytes(of: LedgerUnderTest.name)
        for index in stride(from: 0, to: bytes.count, by: 3) {
            var changed = bytes
            changed[index] ^= 1
            try subject.folder.write(changed, to: LedgerUnderTest.name)
            #expect(try !subject.damagedLines().isEmpty, "byte \(index)")
        }
        try subject.folder.write(bytes, to: LedgerUnderTest.name)
        let lines = try subject.lines()
        for index in lines.indices {
            var fewer = lines
            fewer.remove(at: index)
            try subject.write(fewer)
            #expect(try !subject.damagedLines().isEmpty, "without line \(index + 1)")
        }
        for index in lines.indices.dropLast() {
            var moved = lines
            moved.swapAt(index, index + 1)
            try subject.write(moved)
            #expect(try !subject.damagedLines().isEmpty, "line \(index + 1) moved")
        }
    }

    @Test("fits its head, also where entries were added while it was made")
    func meanwhile() async throws {
        let (subject, ledger, _) = try Self.ledger()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await DiskPool.shared.run { _ = try ledger.append([LedgerUnderTest.entry("f\(number % 5)")]) }
                }
            }
            for _ in 0..<20 {
                group.addTask { try await DiskPool.shared.run { _ = try Self.compact(subject) } }
            }
            try await group.waitForAll()
        }
        _ = try subject.open()
        #expect(try subject.damagedLines() == [])
        #expect(try Set(subject.paths()) == ["a", "b", "c", "f0", "f1", "f2", "f3", "f4"])
    }

    @Test("believes no number of the one before")
    func dropped() throws {
        let (subject, _, _) = try Self.ledger()
        _ = try Self.compact(subject)
        var lines = try subject.lines()
        var first = try #require(CompactionLine(lines[0].dropLast()))
        first.dropped = .max
        lines[0] = first.encoded[...]
        try subject.write(lines)
        try subject.folder.remove(LedgerUnderTest.head)
        _ = try subject.open()
        #expect(try Self.compact(subject) { $0.description == "b" } == [3, 1])
        #expect(try subject.paths() == ["b"])
    }

    @Test("is not made of a damaged one")
    func damaged() async throws {
        let (subject, _, _) = try Self.ledger()
        var lines = try subject.lines()
        lines.remove(at: 1)
        try subject.write(lines)
        #expect(await failureCode { _ = try Self.compact(subject) } == .damaged)
        #expect(try subject.lines() == lines)
        #expect(try subject.folder.names() == [LedgerUnderTest.head, LedgerUnderTest.name])
    }
}
