// Command plot draws what tools/bench measured. It reads figures as JSON from standard input,
// and writes an SVG file that can be read on white and on black to standard output.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"image/color"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// figure is plots side by side.
type figure struct {
	Title string
	Plots []struct {
		X, Y  string // titles of the axes, with units
		Lines []struct {
			Name string
			X, Y []float64 // more than 0
		}
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

func run() error {
	var f figure
	if err := json.NewDecoder(os.Stdin).Decode(&f); err != nil {
		return err
	}
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	canvas := vgsvg.New(10*vg.Inch, 4.6*vg.Inch)
	all := draw.New(canvas)
	legend := plot.NewLegend()
	legend.Top, legend.Left, legend.XOffs, legend.YOffs, legend.Padding = true, true, 12, -8, 2
	legend.TextStyle.Color = ink
	row := make([]*plot.Plot, len(f.Plots))
	for i := range row {
		var err error
		if row[i], err = f.plot(i, &legend); err != nil {
			return err
		}
	}
	legend.Draw(all)
	height := legend.Rectangle(all).Size().Y
	tiles := draw.Tiles{Rows: 1, Cols: len(row), PadX: 24, PadTop: 8, PadBottom: 8, PadLeft: 8, PadRight: 16}
	for i, at := range plot.Align([][]*plot.Plot{row}, tiles, draw.Crop(all, 0, 0, 0, -height))[0] {
		row[i].Draw(at)
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return err
	}
	title := fmt.Sprintf("<title>%s</title>\n", html.EscapeString(f.Title))
	_, err := os.Stdout.WriteString(strings.Replace(b.String(), "<g ", title+style+"<g ", 1))
	return err
}

// ink is the colour of what is neither line nor paper. In the dark the style has another.
var ink = color.RGBA{R: 0x1f, G: 0x23, B: 0x28, A: 0xff}

const style = `<style>
text{font-family:"Liberation Sans",Arial,Helvetica,sans-serif!important}
.paper{fill:#fff}
@media (prefers-color-scheme:dark){
.paper{fill:#0d1117}
text,[style*="fill:#1F2328"]{fill:#e6edf3!important}
[style*="stroke:#1F2328"]{stroke:#e6edf3!important}
}
</style>
<rect class="paper" width="100%" height="100%"/>
`

// looks are those of lines: each has a shape of its own, and a colour that can be seen on
// white and on black.
var looks = []struct {
	color  color.RGBA
	dashes []vg.Length
	shape  draw.GlyphDrawer
}{
	{color.RGBA{R: 0x2f, G: 0x81, B: 0xf7, A: 0xff}, nil, draw.CircleGlyph{}},
	{color.RGBA{R: 0xdb, G: 0x6d, B: 0x28, A: 0xff}, nil, draw.BoxGlyph{}},
	{color.RGBA{R: 0x2d, G: 0xa4, B: 0x4e, A: 0xff}, []vg.Length{6, 3}, draw.TriangleGlyph{}},
	{color.RGBA{R: 0xa3, G: 0x71, B: 0xf7, A: 0xff}, []vg.Length{6, 3}, draw.PyramidGlyph{}},
}

// plot returns one of the plots, whose axes are logarithmic. The lines of the first one are
// added to the legend.
func (f *figure) plot(number int, legend *plot.Legend) (*plot.Plot, error) {
	data := f.Plots[number]
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = data.X, data.Y
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color, a.Label.TextStyle.Color, a.Tick.Color, a.Tick.Label.Color = ink, ink, ink, ink
		a.Scale = plot.LogScale{}
	}
	var xs, ys []float64
	for i, l := range data.Lines {
		points := make(plotter.XYs, len(l.X))
		for j := range points {
			points[j] = plotter.XY{X: l.X[j], Y: l.Y[j]}
		}
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		look := looks[i%len(looks)]
		line.Color, line.Width, line.Dashes = look.color, 1.5, look.dashes
		marks.Color, marks.Shape, marks.Radius = look.color, look.shape, 3
		p.Add(line, marks)
		if number == 0 {
			legend.Add(l.Name, line, marks)
		}
		xs, ys = append(xs, l.X...), append(ys, l.Y...)
	}
	slices.Sort(xs)
	p.X.Min, p.X.Max = xs[0]/1.3, xs[len(xs)-1]*1.3
	p.X.Tick.Marker = plot.ConstantTicks(ticks(slices.Compact(xs)))
	around := steps(slices.Min(ys), slices.Max(ys))
	p.Y.Min, p.Y.Max = around[0], around[len(around)-1]
	p.Y.Tick.Marker = plot.ConstantTicks(ticks(around))
	return p, nil
}

// steps returns those of 1, 2, 5, 10, 20 and so on that are in a range, and one on either side.
func steps(low, high float64) (all []float64) {
	for power := math.Pow(10, math.Floor(math.Log10(low))); ; power *= 10 {
		for _, n := range []float64{1, 2, 5} {
			if step := n * power; step <= low {
				all = []float64{step}
			} else if all = append(all, step); step >= high {
				return all
			}
		}
	}
}

func ticks(values []float64) []plot.Tick {
	all := make([]plot.Tick, len(values))
	for i, v := range values {
		all[i] = plot.Tick{Value: v, Label: label(v)}
	}
	return all
}

// label returns a number with commas or in millions, which has one digit that is not 0.
func label(v float64) string {
	if v >= 1e6 {
		return label(v/1e6) + " M"
	}
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if v >= 1000 {
		return text[:len(text)-3] + "," + text[len(text)-3:]
	}
	return text
}
