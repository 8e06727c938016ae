/// A table in plain text: columns as wide as their widest cell, numbers to the right.
public struct TextTable: Sendable {
    /// A column.
    public struct Column: Sendable {
        let title: String
        let isNumber: Bool

        /// A column of text, to the left.
        public static func text(_ title: String) -> Column { Column(title: title, isNumber: false) }
        /// A column of numbers, to the right.
        public static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    /// A table without rows.
    public init(_ columns: [Column]) { self.columns = columns }

    /// Whether it has no rows.
    public var isEmpty: Bool { rows.isEmpty }

    /// Adds a row; missing cells are empty.
    public mutating func add(_ cells: [String]) {
        rows.append(Array((cells + [String](repeating: "", count: columns.count)).prefix(columns.count)))
    }

    /// The lines, each ended.
    public var description: String {
        let widths = columns.indices.map { column in
            max(columns[column].title.count, rows.map { $0[column].count }.max() ?? 0)
        }
        var text = line(columns.map(\.title), widths)
        for row in rows { text += line(row, widths) }
        return text
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: widths[index] - cell.count)
            if index > 0 { line += "  " }
            line += columns[index].isNumber ? padding + cell : cell + padding
        }
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }
}

/// Numbers for people.
public enum Format {
    /// With so many decimals, and a comma at each thousand: 12,345.6.
    public static func decimal(_ value: Double, _ decimals: Int = 1) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "-" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int64((abs(value) * scale).rounded())
        let whole = scaled / Int64(scale)
        var text = grouped(UInt64(whole))
        if decimals > 0 {
            let rest = String(scaled % Int64(scale))
            text += "." + String(repeating: "0", count: decimals - rest.count) + rest
        }
        return value < 0 && scaled != 0 ? "-" + text : text
    }

    /// With a comma at each thousand.
    public static func integer(_ value: some BinaryInteger) -> String {
        (value < 0 ? "-" : "") + grouped(UInt64(clamping: value.magnitude))
    }

    /// Microseconds as milliseconds with one decimal, or two below 10.
    public static func milliseconds(_ microseconds: UInt64) -> String {
        decimal(Double(microseconds) / 1000, microseconds < 10_000 ? 2 : 1)
    }

    private static func grouped(_ value: UInt64) -> String {
        let digits = String(value)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }
}
