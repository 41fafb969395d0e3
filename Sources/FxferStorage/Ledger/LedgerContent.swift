import FxferProtocol

/// What a ledger says when it is read once.
package struct LedgerContent: Sendable {
    /// The last entry of each path.
    package private(set) var latest: [RelativePath: LedgerEntry] = [:]
    /// Where the chain is broken: "line 3: it is not as it was written".
    package private(set) var damages: [String] = []

    init(of folder: LedgerFolder) throws(FxferError) {
        var reader = try LedgerReader(folder)
        do throws(Errno) {
            while let finding = try reader.next() {
                switch finding {
                case .entry(let line): self.latest[line.entry.path] = line.entry
                case .damage(let damage): self.damages.append("line \(damage.line): \(damage.explanation)")
                }
            }
        } catch {
            throw folder.failure("read", error)
        }
    }
}
