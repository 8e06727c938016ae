/// Points in time as certificates and collateral write them, in milliseconds since 1970.
package enum CivilTime {
    /// The time of a date in UTC (proleptic Gregorian); nil if there is no such date, 0 if it is before 1970.
    package static func milliseconds(
        year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0
    ) -> UInt64? {
        guard (1...9999).contains(year), (1...12).contains(month), (1...dayCount(year, month)).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second)
        else { return nil }
        // Days since 0000-03-01, so that the leap day is a year's last.
        let shifted = month <= 2 ? year - 1 : year
        let monthsSinceMarch = (month + 9) % 12
        let days =
            shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + (monthsSinceMarch * 153 + 2) / 5 + day - 1
        let seconds = (days - 719_468) * 86_400 + hour * 3600 + minute * 60 + second
        return UInt64(max(0, seconds)) * 1000
    }

    /// The time of `2026-03-16T22:06:09Z`, the only form of RFC 3339 that collateral uses.
    package static func parse(_ text: String) -> UInt64? {
        let digits = Array(text.utf8)
        guard digits.count == 20 else { return nil }
        for (index, separator) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"), (19, "Z")]
            as [(Int, Unicode.Scalar)]
        {
            guard digits[index] == UInt8(ascii: separator) else { return nil }
        }
        func number(_ range: Range<Int>) -> Int? {
            var value = 0
            for digit in digits[range] {
                guard (0x30...0x39).contains(digit) else { return nil }
                value = value * 10 + Int(digit - 0x30)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        return milliseconds(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    }

    /// The form that ``parse(_:)`` reads; parts of a second are left out.
    package static func text(_ milliseconds: UInt64) -> String {
        let seconds = Int(min(milliseconds / 1000, 253_402_300_799))
        // The inverse of the day count above, by eras of 400 years.
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthsSinceMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthsSinceMarch + 2) / 5 + 1
        let month = monthsSinceMarch < 10 ? monthsSinceMarch + 3 : monthsSinceMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let clock = seconds % 86_400
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
            + "\(padded(clock / 3600, 2)):\(padded(clock / 60 % 60, 2)):\(padded(clock % 60, 2))Z"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    private static func dayCount(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// A span of time, both ends included, in milliseconds since 1970: when something may be used.
public struct ValidityPeriod: Sendable, Hashable {
    /// Its start.
    public var from: UInt64
    /// Its end.
    public var until: UInt64

    /// All of time.
    static let always = ValidityPeriod(from: 0, until: .max)

    /// Whether `time` lies within.
    func contains(_ time: UInt64) -> Bool { from <= time && time <= until }

    /// What two periods have in common.
    func intersection(_ other: ValidityPeriod) -> ValidityPeriod {
        ValidityPeriod(from: max(from, other.from), until: min(until, other.until))
    }

    var text: String { "\(CivilTime.text(from)) to \(CivilTime.text(until))" }
}
