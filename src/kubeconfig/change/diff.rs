//! A unified diff, made from the splices: exact, and linear in the size of the file.

use std::fmt::Write as _;

use crate::kubeconfig::change::FileChange;

const CONTEXT: usize = 3;

/// Lines of the old text (a range) and what takes their place.
struct Block<'a> {
    start: usize,
    end: usize,
    new: Vec<&'a str>,
}

/// One file's change as a unified diff.
pub(crate) fn unified(file: &FileChange) -> String {
    let path = file.path.display();
    let before = file.before.as_ref().map_or("", |text| &text.text);
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let blocks = blocks(file, before, &old);
    let old_name = file
        .before
        .as_ref()
        .map_or("/dev/null".to_owned(), |_| path.to_string());
    let mut out = format!("--- {old_name}\n+++ {path}\n");
    let mut shift = 0_isize;
    let mut rest = blocks.as_slice();
    while let Some(first) = rest.first() {
        let near = rest.windows(2).take_while(|pair| match pair {
            [one, next] => next.start - one.end <= 2 * CONTEXT,
            _ => false,
        });
        let (hunk, others) = rest.split_at((near.count() + 1).min(rest.len()));
        rest = others;
        shift = write_hunk(&mut out, &old, first.start, hunk, shift);
    }
    out
}

fn write_hunk(out: &mut String, old: &[&str], first: usize, hunk: &[Block<'_>], shift: isize) -> isize {
    let start = first.saturating_sub(CONTEXT);
    let end = hunk.last().map_or(first, |block| block.end + CONTEXT).min(old.len());
    let grown: isize = hunk
        .iter()
        .map(|block| block.new.len().cast_signed() - (block.end - block.start).cast_signed())
        .sum();
    let old_count = end - start;
    let new_count = old_count.saturating_add_signed(grown);
    // An empty range is numbered by the line before it.
    let number = |start: usize, count: usize| if count == 0 { start } else { start + 1 };
    let new_start = start.saturating_add_signed(shift);
    let _ = writeln!(
        out,
        "@@ -{},{old_count} +{},{new_count} @@",
        number(start, old_count),
        number(new_start, new_count)
    );
    let mut at = start;
    for block in hunk {
        write_lines(out, ' ', old.get(at..block.start));
        write_lines(out, '-', old.get(block.start..block.end));
        write_lines(out, '+', Some(&block.new));
        at = block.end;
    }
    write_lines(out, ' ', old.get(at..end));
    shift + grown
}

fn write_lines(out: &mut String, sign: char, lines: Option<&[&str]>) {
    for line in lines.into_iter().flatten() {
        out.push(sign);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// The changed lines, in order, without lines that are the same on both sides at a block's edges.
fn blocks<'a>(file: &'a FileChange, before: &str, old: &[&str]) -> Vec<Block<'a>> {
    let mut starts = Vec::with_capacity(old.len() + 1);
    let mut at = 0;
    for line in old {
        starts.push(at);
        at += line.len();
    }
    let line_of = |at: usize| starts.partition_point(|start| *start <= at).saturating_sub(1);
    // Ranges of whole lines, in old and (by the growth so far) new bytes.
    let mut ranges: Vec<(usize, usize, isize)> = Vec::new();
    for splice in &file.splices {
        let start = line_of(splice.start);
        let end_at = splice.end.max(splice.start + 1).min(before.len().max(1)) - 1;
        let end = (line_of(end_at.max(splice.start.min(end_at))) + 1)
            .max(start + 1)
            .min(old.len());
        let grown = splice.text.len().cast_signed() - (splice.end - splice.start).cast_signed();
        match ranges.last_mut() {
            Some((_, last, growth)) if start < *last => {
                *last = end.max(*last);
                *growth += grown;
            }
            _ => ranges.push((start.min(old.len()), end, grown)),
        }
    }
    let byte_of = |line: usize| starts.get(line).copied().unwrap_or(before.len());
    let mut shift = 0_isize;
    let mut blocks = Vec::new();
    for (start, end, grown) in ranges {
        let from = byte_of(start).saturating_add_signed(shift);
        shift += grown;
        let to = byte_of(end).saturating_add_signed(shift);
        let new: Vec<&str> = file
            .after
            .text
            .get(from..to)
            .unwrap_or_default()
            .split_inclusive('\n')
            .collect();
        let was = old.get(start..end).unwrap_or_default();
        let same = was.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let was_rest = was.get(same..).unwrap_or_default();
        let new_rest = new.get(same..).unwrap_or_default();
        let tail = was_rest
            .iter()
            .rev()
            .zip(new_rest.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        blocks.push(Block {
            start: start + same,
            end: end - tail,
            new: new_rest.get(..new_rest.len() - tail).unwrap_or_default().to_vec(),
        });
    }
    blocks
}
