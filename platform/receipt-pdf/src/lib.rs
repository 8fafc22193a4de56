//! berth-receipt-pdf
