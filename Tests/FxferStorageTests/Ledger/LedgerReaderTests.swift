import FxferProtocol
import Testing

@testable import FxferStorage

@Suite("Who reads the ledger")
struct LedgerReaderTests {
    static func ledger() throws -> LedgerUnderTest {
        let subject = try LedgerUnderTest()
        _ = try subject.open().append(["a", "bb", "c", "dd", "e"].map { try LedgerUnderTest.entry($0) })
        return subject
    }

    @Test("finds every changed byte, and names its line")
    func flips() throws {
        let subject = try Self.ledger()
        let bytes = try subject.folder.bytes(of: LedgerUnderTest.name)
        var line = 1
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= UInt8(1 << (index % 8))
            try subject.folder.write(changed, to: LedgerUnderTest.name)
            let damaged = try subject.damagedLines()
            #expect(damaged.first == line, "byte \(index)")
            if bytes[index] == UInt8(ascii: "\n") { line += 1 }
        }
        try subject.folder.write(bytes, to: LedgerUnderTest.name)
        #expect(try subject.damagedLines() == [])
    }

    @Test("finds every changed byte of the head")
    func head() throws {
        let subject = try Self.ledger()
        let bytes = try subject.folder.bytes(of: LedgerUnderTest.head)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            try subject.folder.write(changed, to: LedgerUnderTest.head)
            #expect(try !subject.damagedLines().isEmpty, "byte \(index)")
        }
    }

    @Test("finds lines that were removed, wherever", arguments: 0..<5)
    func removed(index: Int) throws {
        let subject = try Self.ledger()
        var lines = try subject.lines()
        lines.remove(at: index)
        try subject.write(lines)
        #expect(try subject.damagedLines().first == index + 1)
    }

    @Test("finds lines that were moved or added", arguments: 0..<4)
    func moved(index: Int) throws {
        let subject = try Self.ledger()
        var lines = try subject.lines()
        lines.swapAt(index, index + 1)
        try subject.write(lines)
        #expect(try subject.damagedLines().first == index + 1)
        lines.swapAt(index, index + 1)
        lines.insert(lines[index], at: index + 1)
        try subject.write(lines)
        #expect(try subject.damagedLines().first == index + 2)
    }

    @Test("tells the entries of all lines that are as they were")
    func others() throws {
        let subject = try Self.ledger()
        var lines = try subject.lines()
        lines[1][lines[1].startIndex + 12] ^= 1
        try subject.write(lines)
        #expect(try subject.paths() == ["a", "line 2", "c", "dd", "e"])
    }

    @Test("takes a ledger that was written anew as a whole for another one")
    func rewritten() throws {
        let subject = try Self.ledger()
        let other = try LedgerUnderTest()
        _ = try other.open().append(["a", "xx", "c", "dd", "e"].map { try LedgerUnderTest.entry($0) })
        try subject.folder.write(other.folder.bytes(of: LedgerUnderTest.name), to: LedgerUnderTest.name)
        #expect(try subject.damagedLines() == [5])
    }

    @Test("is told where there is none")
    func missing() async throws {
        let subject = try LedgerUnderTest()
        #expect(await failureCode { _ = try subject.findings() } == .noInput)
    }

    @Test("does not run out of memory on what is no ledger")
    func noise() throws {
        let subject = try Self.ledger()
        try subject.folder.write([UInt8](repeating: 0x61, count: 1 << 20), to: LedgerUnderTest.name)
        #expect(try !subject.damagedLines().isEmpty)
    }
}
