import FxferProtocol
import FxferStorage

extension StoredEntry {
    /// What is said of a publication: what the ledger says, or, where there is none, that it is stored since now.
    init(_ publication: Publication) {
        self = publication.record ?? StoredEntry(time: .now(), durability: publication.level)
    }
}
