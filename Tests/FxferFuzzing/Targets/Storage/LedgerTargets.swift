import FxferProtocol

@testable import FxferStorage

extension FuzzTarget {
    /// A line of the ledger is read where it is the one way to write what it says, and no other has its hash.
    ///
    /// Input: a byte that says whether a line, a line that lacks its hash, or a head follows.
    static let ledgerLine = FuzzTarget(
        "ledger-line",
        seeds: [
            [0] + LedgerSample.line(1).dropLast(), [1] + LedgerSample.line(2).dropLast(76),
            [1] + LedgerSample.compaction.encoded.dropLast(76),
            [0] + LedgerSample.compaction.encoded.dropLast(), [2] + LedgerHead(length: 12, last: .zero).encoded,
        ]
    ) { bytes in
        var input = FuzzInput(bytes)
        let kind = input.byte() % 3
        var line = Array(input.rest)
        if kind == 2 {
            if let head = LedgerHead(line) { try require(head.encoded == line, "a head can be written otherwise") }
            return
        }
        if kind == 1 { line += Array(#","hash":"\#(Digest(ofContent: line))"}"#.utf8) }
        if let compaction = CompactionLine(line[...]) {
            try require(compaction.encoded == line + [0x0A], "a compaction's line can be written otherwise")
            try require(LedgerLine(line[...]) == nil, "a line is two things")
        }
        guard let read = LedgerLine(line[...]) else { return }
        try require(LedgerLine.path(of: line[...]) == read.entry.path, "the path alone is another")
        var written: [UInt8] = []
        let hash = LedgerLine.write(read.entry, after: read.previous, to: &written)
        try require(hash == read.hash && written == line + [0x0A], "a line can be written otherwise")
    }

    /// A ledger is found intact where nothing was done to it, and damaged where anything was.
    ///
    /// Input: how its lines are made, a byte each, and for some of them more.
    static let ledgerReader = FuzzTarget(
        "ledger-reader",
        maxLength: 512,
        seeds: [
            [0, 0, 0], [0, 1, 0], [0, 2, 5, 0], [0, 0, 3], [8, 0, 0, 0], [0, 4, 65, 0], [0, 5, 0], [0, 0, 6, 1],
        ]
    ) { bytes in
        var input = FuzzInput(bytes)
        var ledger = LedgerSample(keeping: input.choice(16) == 8 ? 2 : 0)
        var isIntact = true
        while !input.isEmpty, ledger.bytes.count < 1 << 16 {
            switch input.choice(10) {
            case 1:
                isIntact = isIntact && !ledger.cutLine(at: input.byte())
            case 2:
                isIntact = isIntact && !ledger.changeByte(at: input.integer(UInt16.self), by: input.byte())
            case 3:
                isIntact = isIntact && !ledger.repeatLine()
            case 4:
                let noise = input.bytes(8)
                ledger.bytes += noise
                isIntact = isIntact && noise.isEmpty
            case 5:
                ledger.bytes += LedgerSample.line(9)
                isIntact = isIntact && ledger.isFirstLine(9)
            default:
                ledger.add(input.byte())
            }
        }
        let findings = try ledger.read()
        let damages = findings.filter { if case .damage = $0 { true } else { false } }
        try require(isIntact == damages.isEmpty, "intact: \(isIntact), found: \(damages)")
        try require(findings.count - damages.count <= ledger.bytes.count { $0 == 0x0A } + 1, "more entries than lines")
        guard isIntact else { return }
        try require(findings.count == ledger.entryCount, "\(findings.count) of \(ledger.entryCount) entries are read")
    }
}
