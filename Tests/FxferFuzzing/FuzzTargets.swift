extension FuzzTarget {
    /// Every target. `Tests/FxferFuzzing/fuzz` runs one of them; the tests replay what was found by all.
    static let all: [FuzzTarget] = [
        // The wire
        .frameStream, .frameBody, .firstBytes, .endpoint, .trailer,
        // The machines
        .receiver, .sender, .session, .greeting, .requests,
        // Names
        .relativePath, .escapedText, .excludePattern,
        // Lines
        .jsonLine, .fileTime, .receiptStatement,
        // State on disk
        .ledgerLine, .ledgerReader, .partialHeader, .partialRecords, .hashStates,
        // Trust
        .knownHosts, .tokenList, .keyFingerprint, .pem, .keptReceipt,
    ]
}
